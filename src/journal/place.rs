//! Where a journal lies: a file, or a database by its URL; and how that is said without its password.

use std::path::Path;

use super::store::{SCHEMA, Store};
use crate::{Error, Result};

/// What a URL of `PostgreSQL` begins with.
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Opens the database at a path or URL.
pub(super) fn open(place: &Path) -> Result<Box<dyn Store>> {
    let text = place.to_str().unwrap_or_default();
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return open_url(text);
    }
    if text.contains("://") {
        let allowed = "the path of a file, or the URL of a PostgreSQL database (postgresql://user@host/name)";
        return Err(Error::option("path", format!("{:?}", without_password(text)), allowed));
    }
    Ok(Box::new(super::sqlite::Sqlite::open(place)?))
}

#[cfg(feature = "postgres")]
fn open_url(url: &str) -> Result<Box<dyn Store>> {
    Ok(Box::new(super::postgres::Postgres::open(url)?))
}

#[cfg(not(feature = "postgres"))]
fn open_url(url: &str) -> Result<Box<dyn Store>> {
    Err(Error::Store {
        path: without_password(url),
        problem: "this build of brightspot knows no PostgreSQL".into(),
        remedy: "build it with the feature `postgres`, or give the path of a file".into(),
    })
}

/// A place as errors and logs may show it: a URL without its password.
///
/// ```
/// use brightspot::journal::without_password;
///
/// assert_eq!(without_password("postgresql://kim:s3cret@host/plc"), "postgresql://kim:***@host/plc");
/// assert_eq!(without_password("plc.db"), "plc.db");
/// ```
pub fn without_password(place: &str) -> String {
    const HIDDEN: &str = "***";
    let Some((scheme, rest)) = place.split_once("://") else { return place.to_owned() };
    if rest.split_once('?').is_some_and(|(_, options)| options.contains('@')) {
        // A password that was not escaped, in the user or in an option: where it ends cannot be told.
        return format!("{scheme}://{HIDDEN}");
    }
    // Such a password may hold "/" and "@": what stands before the last "@" is taken for the user.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let user = user.map_or(String::new(), |user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{HIDDEN}@"),
        None => format!("{user}@"),
    });
    let (address, options) = rest.split_once('?').map_or((rest, None), |(address, rest)| (address, Some(rest)));
    let options = options.map_or(String::new(), |options| {
        let shown: Vec<String> = options
            .split('&')
            .map(|option| match option.split_once('=') {
                Some((name, _)) if name.to_lowercase().contains("pass") => format!("{name}={HIDDEN}"),
                _ => option.to_owned(),
            })
            .collect();
        format!("?{}", shown.join("&"))
    });
    format!("{scheme}://{user}{address}{options}")
}

/// The version of the tables as they tell it; an error if it is newer than this library, or none.
pub(super) fn known_schema(place: &str, version: &str) -> Result<u32> {
    match version.parse::<u32>() {
        Ok(found) if found > SCHEMA => {
            Err(Error::NewerSchema { what: format!("the journal {place}"), found, supported: SCHEMA })
        }
        Ok(found) => Ok(found),
        Err(_) => Err(Error::Tampered {
            path: place.to_owned(),
            problem: format!("its schema version is {version:?}, which is no number"),
        }),
    }
}

/// The kind of network share that a file lies on, or would lie on; `None` on a local disk, and where it cannot be told.
pub(super) fn network_share(path: &Path) -> Option<&'static str> {
    if cfg!(windows) && path.to_str().is_some_and(|path| path.starts_with(r"\\")) {
        return Some("Windows share");
    }
    // The file may not exist yet.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    file_system(path).or_else(|| file_system(folder)).and_then(share_named)
}

#[cfg(target_os = "linux")]
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)] // A magic number of 32 bits in a wider field.
fn file_system(path: &Path) -> Option<u32> {
    use std::os::unix::ffi::OsStrExt as _;
    rustix::fs::statfs(path.as_os_str().as_bytes()).ok().map(|found| found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn file_system(_path: &Path) -> Option<u32> {
    None
}

/// The shares among Linux's file systems, by the numbers of statfs(2).
fn share_named(magic: u32) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517B | 0xFE53_4D42 => Some("SMB"),
        0xFF53_4D42 => Some("CIFS"),
        0x5346_414F | 0x6B41_4653 => Some("AFS"),
        0x00C3_6400 => Some("Ceph"),
        0x0BD0_0BD0 => Some("Lustre"),
        0x564C => Some("NCP"),
        0x7375_7245 => Some("Coda"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for (place, shown) in [
            ("postgres://u:p@h:5432/db?sslmode=require", "postgres://u:***@h:5432/db?sslmode=require"),
            ("postgresql://u@h/db", "postgresql://u@h/db"),
            ("postgresql://u:s3/cr@t@h/db", "postgresql://u:***@h/db"),
            ("postgresql://u:s3cr?t@h/db", "postgresql://***"),
            ("postgresql:///db?password=s3@cret", "postgresql://***"),
            ("postgresql:///db?host=/tmp&user=u&password=s3cret", "postgresql:///db?host=/tmp&user=u&password=***"),
            ("mysql://u:s3cret@h/db", "mysql://u:***@h/db"),
            ("a:b@c.db", "a:b@c.db"),
        ] {
            assert_eq!(without_password(place), shown);
        }
    }

    /// The numbers of linux/magic.h and of the manual page statfs(2).
    #[test]
    fn shares_are_told_from_disks() {
        assert_eq!(share_named(0x6969), Some("NFS"));
        assert_eq!(share_named(0xFF53_4D42), Some("CIFS"));
        for disk in [0xEF53, 0x0102_1994, 0x9123_683E, 0x5846_5342, 0x794C_7630] {
            assert_eq!(share_named(disk), None, "{disk:x}");
        }
        assert_eq!(network_share(&std::env::temp_dir().join("not there yet.db")), None);
    }
}
