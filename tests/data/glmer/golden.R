# Makes the CSV files of this folder: synthetic data of our own, and what lme4 says of them.
# R 4.2.2, lme4 1.1-31 (Debian 12); run in this folder with `Rscript golden.R`.
suppressMessages(library(lme4))
options(digits = 17)
tight <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhobeg = 2e-3, rhoend = 1e-10, maxfun = 1e6),
                      check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
tight_lmer <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 2e-3, rhoend = 1e-12, maxfun = 1e6),
                          check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
rows <- data.frame()
say <- function(case, kind, name, level, value, sd = NA)
  rows <<- rbind(rows, data.frame(case = case, kind = kind, name = name, level = level, value = value, sd = sd))

report <- function(case, m) {
  say(case, "criterion", "", "", if (isREML(m)) REMLcrit(m) else -2 * as.numeric(logLik(m)))
  for (i in seq_along(getME(m, "theta"))) say(case, "theta", names(getME(m, "theta"))[i], "", getME(m, "theta")[i])
  if (isLMM(m)) say(case, "sigma", "", "", sigma(m))
  se <- sqrt(diag(as.matrix(vcov(m))))
  for (i in seq_along(fixef(m))) say(case, "fixed", names(fixef(m))[i], "", fixef(m)[[i]], se[[i]])
  if (isGLMM(m)) {
    se <- sqrt(diag(as.matrix(vcov(m, use.hessian = FALSE))))
    for (i in seq_along(fixef(m))) say(case, "fixed_rx", names(fixef(m))[i], "", fixef(m)[[i]], se[[i]])
  }
  re <- as.data.frame(ranef(m, condVar = TRUE))
  if (nrow(re)) say(case, "effect", paste(re$grpvar, re$term), as.character(re$grp), re$condval, re$condsd)
}

write <- function(d, name) write.csv(d, paste0(name, ".csv"), row.names = FALSE, quote = FALSE)

# Passing a test: one factor, a number and a category.
set.seed(101)
J <- 40
d <- data.frame(teacher = sprintf("t%02d", rep(1:J, times = sample(6:24, J, TRUE))))
d$prior <- round(rnorm(nrow(d), 50, 10), 2)
d$frl <- ifelse(runif(nrow(d)) < .4, "yes", "no")
d$passed <- rbinom(nrow(d), 1, plogis(.4 + .05 * (d$prior - 50) - .6 * (d$frl == "yes") + rnorm(J, 0, .8)[as.integer(factor(d$teacher))]))
write(d, "passed")
report("passed", glmer(passed ~ prior + frl + (1 | teacher), d, binomial, control = tight))

# Days present of days enrolled: teachers in schools, counts with trials.
set.seed(102)
d <- expand.grid(pupil = 1:8, teacher = 1:5, school = 1:12)
d <- data.frame(school = sprintf("s%02d", d$school), teacher = sprintf("t%d", d$teacher), days = sample(5:20, nrow(d), TRUE))
d$prior <- round(rnorm(nrow(d)), 3)
s <- as.integer(factor(d$school)); t <- as.integer(factor(paste(d$school, d$teacher)))
d$present <- rbinom(nrow(d), d$days, plogis(1.2 + .3 * d$prior + rnorm(12, 0, .5)[s] + rnorm(60, 0, .4)[t]))
write(d, "present")
report("present", glmer(cbind(present, days - present) ~ prior + (1 | school/teacher), d, binomial, control = tight))

# Referrals per pupil-week: counts with an exposure, one factor.
set.seed(103)
d <- data.frame(school = sprintf("s%02d", rep(1:30, each = 6)), weeks = round(runif(180, 4, 40), 1),
                level = rep(c("early", "middle", "upper"), 60))
d$referrals <- rpois(180, d$weeks * exp(-1.5 + .4 * (d$level == "middle") + .7 * (d$level == "upper") + rnorm(30, 0, .5)[as.integer(factor(d$school))]))
write(d, "referrals")
report("referrals", glmer(referrals ~ level + offset(log(weeks)) + (1 | school), d, poisson, control = tight))

# Counts in classes in schools in districts, no exposure.
set.seed(104)
d <- expand.grid(row = 1:4, class = 1:4, school = 1:5, district = 1:8)
d <- data.frame(district = sprintf("d%d", d$district), school = sprintf("s%d", d$school), class = sprintf("c%d", d$class), x = round(rnorm(nrow(d)), 3))
f <- function(...) as.integer(factor(paste(...)))
d$late <- rpois(nrow(d), exp(.5 + .25 * d$x + rnorm(8, 0, .4)[f(d$district)] + rnorm(40, 0, .3)[f(d$district, d$school)] + rnorm(160, 0, .35)[f(d$district, d$school, d$class)]))
write(d, "late")
report("late", glmer(late ~ x + (1 | district/school/class), d, poisson, control = tight))

# No difference between groups: the variance is estimated as zero.
set.seed(105)
d <- data.frame(class = sprintf("c%02d", rep(1:20, each = 15)), x = round(rnorm(300), 3))
d$passed <- unsplit(lapply(split(d, d$class), function(g) sample(rep(0:1, length.out = 15))), d$class)
write(d, "alike")
report("alike", glmer(passed ~ x + (1 | class), d, binomial, control = tight))

# Lesnoff et al. (2004): the data of the package, published output elsewhere; only what lme4 says is kept here.
report("cbpp", glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial, control = tight))

# Slopes: three columns, correlated and not; by ML; a slope without variance.
set.seed(106)
d <- data.frame(teacher = sprintf("t%02d", rep(1:36, times = sample(5:30, 36, TRUE))))
d$prior <- round(rnorm(nrow(d), 500, 40), 1); d$hours <- round(rexp(nrow(d), .5), 2); d$sex <- ifelse(runif(nrow(d)) < .5, "f", "m")
g <- as.integer(factor(d$teacher))
b <- matrix(rnorm(36 * 3), 36) %*% chol(matrix(c(64, .4, 2, .4, .01, 0, 2, 0, 1), 3))
d$math <- round(520 + .6 * (d$prior - 500) + 2 * d$hours + 3 * (d$sex == "m") + b[g, 1] + b[g, 2] * (d$prior - 500) + b[g, 3] * d$hours + rnorm(nrow(d), 0, 20), 2)
d$math0 <- round(520 + .6 * (d$prior - 500) + b[g, 1] + rnorm(nrow(d), 0, 20), 2)
write(d, "slopes")
d$cprior <- d$prior - 500
report("slopes_three", lmer(math ~ cprior + hours + sex + (1 + cprior + hours | teacher), d, control = tight_lmer))
report("slopes_three_ml", lmer(math ~ cprior + hours + sex + (1 + cprior + hours | teacher), d, REML = FALSE, control = tight_lmer))
report("slopes_apart", lmer(math ~ cprior + hours + sex + (1 + cprior + hours || teacher), d, control = tight_lmer))
report("slopes_none", lmer(math0 ~ cprior + (1 + cprior | teacher), d, control = tight_lmer))
report("slopes_not_fixed", lmer(math ~ hours + (1 + cprior | teacher), d, control = tight_lmer))

write.csv(format(rows, digits = 17, trim = TRUE), "lme4.csv", row.names = FALSE, quote = FALSE)
