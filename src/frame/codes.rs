//! Values as codes in their sort order, fast for the two kinds that ids have: short text and whole numbers.

use polars::prelude::*;

use super::factors::MISSING;
use crate::Result;

/// Text of up to so many bytes lies in a column's views themselves.
const INLINE: u32 = 12;

/// A code per row ([`MISSING`] for null), in the order of the values, and the first row of every value; `None` for kinds
/// that have no fast way.
pub(super) fn fast_codes(values: &Series) -> Result<Option<(Vec<u32>, Vec<IdxSize>)>> {
    if let Ok(text) = values.str() {
        return Ok(Some(text_codes(text)));
    }
    if values.dtype().is_integer() && values.dtype() != &DataType::UInt64 {
        let cast = values.cast(&DataType::Int64)?;
        let numbers = cast.i64()?;
        if numbers.null_count() != values.null_count() {
            return Ok(None);
        }
        let (Some(least), Some(most)) = (numbers.min(), numbers.max()) else { return Ok(None) };
        // A table by value does for ids that are numbered; others are hashed.
        let room = 4 * values.len() + 1024;
        if let Some(range) = most.checked_sub(least).and_then(|r| usize::try_from(r).ok()).filter(|r| *r < room) {
            return Ok(Some(table_codes(numbers, least, range + 1)));
        }
        let keys = numbers.iter().map(|v| v.map(|v| v.wrapping_sub(least).cast_unsigned()));
        return Ok(Some(number_codes(keys, numbers.len())));
    }
    Ok(None)
}

/// Short text is compared as one number: the shorter the text, the smaller the number and the table.
fn text_codes(text: &StringChunked) -> (Vec<u32>, Vec<IdxSize>) {
    let of_views =
        || spelled_codes(text).or_else(|| view_codes(text, tiny_key)).or_else(|| view_codes(text, short_key));
    (text.null_count() == 0).then(of_views).flatten().unwrap_or_else(|| hashed(text.iter(), text.len()))
}

/// Codes of ids that are numbered (T000 to T999): where few letters occur in every place, what is spelled with them is a
/// number itself, and a table by it is small. Which letters those are, some rows tell; `None` where others occur, or too
/// many, or more than eight.
fn spelled_codes(text: &StringChunked) -> Option<(Vec<u32>, Vec<IdxSize>)> {
    const SAMPLE: usize = 8192;
    const MOST: usize = 1 << 26;
    // More than that, and none still when it is added up eight times.
    const NONE: u32 = 1 << 28;
    let rows = text.len();
    let mut occurs = [[false; 256]; 8];
    for view in text.downcast_iter().flat_map(|chunk| chunk.views().iter().step_by(1 + rows / SAMPLE)) {
        for (letters, byte) in occurs.iter_mut().zip(tiny_key(view.as_u128())?.to_be_bytes()) {
            if let Some(letter) = letters.get_mut(usize::from(byte)) {
                *letter = true;
            }
        }
    }
    // What a letter in a place adds to the number, the last place first.
    let mut adds = [[NONE; 256]; 8];
    let mut range = 1_usize;
    for (adds, letters) in adds.iter_mut().zip(&occurs).rev() {
        let mut n_letters = 0;
        for (add, _) in adds.iter_mut().zip(letters).filter(|(_, occurs)| **occurs) {
            *add = u32::try_from(n_letters * range).ok()?;
            n_letters += 1;
        }
        range *= n_letters;
        if range > (rows / 4).clamp(1024, MOST) {
            return None;
        }
    }
    let mut places = Vec::with_capacity(rows);
    for views in text.downcast_iter().flat_map(|chunk| chunk.views().chunks(BATCH)) {
        let mut largest = 0;
        places.extend(views.iter().map(|view| {
            let letters = tiny_key(view.as_u128()).map(|key| adds.iter().zip(key.to_be_bytes()));
            let place = letters.map_or(NONE, |letters| {
                letters.map(|(adds, byte)| adds.get(usize::from(byte)).copied().unwrap_or(NONE)).sum::<u32>()
            });
            largest = largest.max(place);
            place
        }));
        if largest as usize >= range {
            return None;
        }
    }
    Some(placed(places, range))
}

/// Codes of text without nulls from its views alone: a length, then twelve bytes. `None` where one has no key.
fn view_codes<K: Key>(text: &StringChunked, key: impl Fn(u128) -> Option<K>) -> Option<(Vec<u32>, Vec<IdxSize>)> {
    let mut coder = Coder::new(text.len());
    for views in text.downcast_iter().flat_map(|chunk| chunk.views().chunks(BATCH)) {
        if views.iter().any(|view| key(view.as_u128()).is_none()) {
            return None;
        }
        coder.add(views.iter().map(|view| key(view.as_u128())));
    }
    Some(coder.in_order())
}

/// How many bytes the text of a view has.
#[allow(clippy::cast_possible_truncation)] // its lowest four bytes
fn length(view: u128) -> u32 {
    view as u32
}

/// Up to eight bytes as a number that sorts as they do, where no zero byte at the end hides the length.
fn tiny_key(view: u128) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation)] // the first eight bytes
    let bytes = ((view >> 32) as u64).swap_bytes();
    (bytes.trailing_zeros() / 8 + length(view) == 8).then_some(bytes)
}

/// The length stands first and little-endian in a view; last and big-endian it decides among texts that are otherwise
/// equal, as with a zero byte at the end.
fn short_key(view: u128) -> Option<u128> {
    let bytes = view.swap_bytes().rotate_left(32) & !u128::from(u32::MAX);
    (length(view) <= INLINE).then_some(bytes | u128::from(length(view)))
}

/// Codes of numbers that are too far apart for a table by value.
fn number_codes(keys: impl Iterator<Item = Option<u64>>, n_rows: usize) -> (Vec<u32>, Vec<IdxSize>) {
    let mut coder = Coder::new(n_rows);
    let mut keys = keys.peekable();
    while keys.peek().is_some() {
        coder.add(keys.by_ref().take(BATCH));
    }
    coder.in_order()
}

/// Rows that are looked up together.
const BATCH: usize = 128;

/// A value as a number.
trait Key: Copy + Ord {
    fn hash(self) -> u64;
}

impl Key for u64 {
    fn hash(self) -> u64 {
        // The two halves of a product: every bit of the value reaches the highest ones.
        let product = u128::from(self ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        #[allow(clippy::cast_possible_truncation)] // the lower half
        let low = product as u64;
        low ^ (product >> 64) as u64
    }
}

impl Key for u128 {
    fn hash(self) -> u64 {
        #[allow(clippy::cast_possible_truncation)] // the lower half
        let low = self as u64;
        (low ^ ((self >> 64) as u64).hash()).hash()
    }
}

/// Numbers values in the order of first appearance: a hash table with linear probing, in which a batch of rows looks up
/// its places before it is coded. A table of many values is larger than a processor's cache, and so the places come at
/// the same time, not one after another.
struct Coder<K> {
    /// The code in every place; [`MISSING`] where there is none. A power of two of them, twice as many as values or more.
    places: Vec<u32>,
    /// Every value by its code, and the first row where it occurs.
    keys: Vec<K>,
    firsts: Vec<IdxSize>,
    codes: Vec<u32>,
    batch: Vec<(Option<K>, u64)>,
}

impl<K: Key> Coder<K> {
    const SMALLEST: usize = 1024;

    fn new(n_rows: usize) -> Self {
        Self {
            places: vec![MISSING; Self::SMALLEST],
            keys: vec![],
            firsts: vec![],
            codes: Vec::with_capacity(n_rows),
            batch: Vec::with_capacity(BATCH),
        }
    }

    /// Codes the next rows, [`BATCH`] at most.
    fn add(&mut self, keys: impl Iterator<Item = Option<K>>) {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        batch.extend(keys.map(|key| (key, key.map_or(0, K::hash))));
        // Each of them may be new.
        while 2 * (self.keys.len() + batch.len()) > self.places.len() {
            self.grow();
        }
        let at = |hash: u64| self.places.get(self.place(hash)).and_then(|code| self.keys.get(*code as usize));
        let n_found = batch.iter().filter(|(key, hash)| at(*hash) == key.as_ref()).count();
        std::hint::black_box(n_found);
        for (key, hash) in &batch {
            let code = key.map_or(MISSING, |key| self.code(key, *hash));
            self.codes.push(code);
        }
        self.batch = batch;
    }

    /// Where a value of this hash stands, or where the search for it begins: by its highest bits.
    fn place(&self, hash: u64) -> usize {
        let bits = self.places.len().trailing_zeros();
        usize::try_from(hash >> (64 - bits)).unwrap_or(0)
    }

    fn next(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    fn code(&mut self, key: K, hash: u64) -> u32 {
        let mut at = self.place(hash);
        while let Some(&code) = self.places.get(at) {
            if self.keys.get(code as usize) == Some(&key) {
                return code;
            }
            if code == MISSING {
                break;
            }
            at = self.next(at);
        }
        let code = u32::try_from(self.keys.len()).unwrap_or(MISSING);
        if let Some(free) = self.places.get_mut(at) {
            *free = code;
        }
        self.keys.push(key);
        self.firsts.push(IdxSize::try_from(self.codes.len()).unwrap_or(IdxSize::MAX));
        code
    }

    fn grow(&mut self) {
        self.places = vec![MISSING; 2 * self.places.len()];
        for (key, code) in self.keys.iter().zip(0..) {
            let mut at = self.place(key.hash());
            while self.places.get(at).is_some_and(|code| *code != MISSING) {
                at = self.next(at);
            }
            if let Some(free) = self.places.get_mut(at) {
                *free = code;
            }
        }
    }

    fn in_order(self) -> (Vec<u32>, Vec<IdxSize>) {
        drop(self.places);
        in_order(&self.keys, &self.firsts, self.codes)
    }
}

/// Codes by way of a hash table of values of any kind.
fn hashed<K: std::hash::Hash + Eq + Ord + Copy>(
    keys: impl Iterator<Item = Option<K>>,
    n_rows: usize,
) -> (Vec<u32>, Vec<IdxSize>) {
    let mut table: PlHashMap<K, u32> = PlHashMap::default();
    let (mut found, mut firsts): (Vec<K>, Vec<IdxSize>) = (vec![], vec![]);
    let mut codes = Vec::with_capacity(n_rows);
    let mut last: Option<(K, u32)> = None;
    for (row, key) in (0..).zip(keys) {
        let Some(key) = key else {
            codes.push(MISSING);
            continue;
        };
        let code = match last {
            Some((same, code)) if same == key => code,
            _ => *table.entry(key).or_insert_with(|| {
                found.push(key);
                firsts.push(row);
                u32::try_from(found.len() - 1).unwrap_or(MISSING)
            }),
        };
        last = Some((key, code));
        codes.push(code);
    }
    in_order(&found, &firsts, codes)
}

/// Codes in the order of the values instead of that of first appearance: only the distinct values are sorted.
fn in_order<K: Ord + Copy>(keys: &[K], firsts: &[IdxSize], mut codes: Vec<u32>) -> (Vec<u32>, Vec<IdxSize>) {
    let mut order: Vec<(K, u32)> = keys.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut place = vec![MISSING; keys.len()];
    let mut sorted = Vec::with_capacity(keys.len());
    for ((_, old), new) in order.into_iter().zip(0..) {
        if let (Some(slot), Some(row)) = (place.get_mut(old as usize), firsts.get(old as usize)) {
            *slot = new;
            sorted.push(*row);
        }
    }
    for code in &mut codes {
        *code = place.get(*code as usize).copied().unwrap_or(MISSING);
    }
    (codes, sorted)
}

fn table_codes(numbers: &Int64Chunked, least: i64, range: usize) -> (Vec<u32>, Vec<IdxSize>) {
    let place = |value: i64| u32::try_from(value - least).unwrap_or(MISSING);
    placed(numbers.iter().map(|value| value.map_or(MISSING, place)).collect(), range)
}

/// Codes of rows whose values have their places, in order, in a table of so many.
fn placed(mut places: Vec<u32>, range: usize) -> (Vec<u32>, Vec<IdxSize>) {
    let mut first = vec![IdxSize::MAX; range];
    for (row, place) in (0..).zip(&places) {
        if let Some(slot) = first.get_mut(*place as usize)
            && *slot == IdxSize::MAX
        {
            *slot = row;
        }
    }
    let mut firsts = Vec::new();
    let mut code = vec![MISSING; range];
    for (slot, &row) in code.iter_mut().zip(&first) {
        if row != IdxSize::MAX {
            *slot = u32::try_from(firsts.len()).unwrap_or(MISSING);
            firsts.push(row);
        }
    }
    for place in &mut places {
        *place = code.get(*place as usize).copied().unwrap_or(MISSING);
    }
    (places, firsts)
}
