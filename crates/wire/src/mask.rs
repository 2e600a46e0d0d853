//! Masking of client frames (RFC 6455, section 5.3).

/// How many bytes one step of the loop covers: a multiple of four that fills vector registers, so that
/// the compiler turns the step into a few vector instructions.
const LANE: usize = 32;

/// Unmasks `data` in place; `key` is the mask as it applies to the first byte. Returns whether the
/// result is ASCII, which costs one more instruction for each vector, and saves looking at most text
/// again.
pub(crate) fn apply(data: &mut [u8], key: [u8; 4]) -> bool {
    let (lanes, rest) = data.as_chunks_mut::<LANE>();
    let mut seen = [0; LANE];
    if !lanes.is_empty() {
        let wide: [u8; LANE] = std::array::from_fn(|at| key[at % 4]);
        for lane in lanes {
            for ((byte, mask), seen) in lane.iter_mut().zip(&wide).zip(&mut seen) {
                *byte ^= mask;
                *seen |= *byte;
            }
        }
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    let mut seen_in_words = 0;
    for word in words {
        let plain = u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(key);
        seen_in_words |= plain;
        *word = plain.to_ne_bytes();
    }
    let mut all = seen_in_words
        .to_ne_bytes()
        .into_iter()
        .chain(seen)
        .fold(0, |all, byte| all | byte);
    for (byte, mask) in rest.iter_mut().zip(key) {
        *byte ^= mask;
        all |= *byte;
    }
    all.is_ascii()
}

/// The mask as it applies after `bytes` of payload.
pub(crate) fn advance(mut key: [u8; 4], bytes: usize) -> [u8; 4] {
    key.rotate_left(bytes % 4);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_makes_it_no_ascii() {
        let key = [1, 2, 3, 250];
        for len in 0..3 * LANE {
            let masked = byte_by_byte(&vec![0x7f; len], key);
            assert!(apply(&mut masked.clone(), key), "length {len}");
            for at in 0..len {
                let mut masked = masked.clone();
                masked[at] ^= 0x80;
                assert!(!apply(&mut masked, key), "length {len}, {at}");
            }
        }
    }

    fn byte_by_byte(data: &[u8], key: [u8; 4]) -> Vec<u8> {
        data.iter()
            .enumerate()
            .map(|(i, b)| b ^ key[i % 4])
            .collect()
    }

    #[test]
    fn every_length_around_a_lane_is_masked_like_byte_by_byte() {
        for len in 0..3 * LANE {
            let data: Vec<u8> = (0..=255).cycle().take(len).collect();
            let mut fast = data.clone();
            apply(&mut fast, [1, 2, 3, 250]);
            assert_eq!(fast, byte_by_byte(&data, [1, 2, 3, 250]), "length {len}");
        }
    }

    #[test]
    fn a_payload_cut_anywhere_is_masked_like_the_whole() {
        let data: Vec<u8> = (0..100).collect();
        let key = [9, 8, 7, 6];
        for cut in 0..=data.len() {
            let mut parts = data.clone();
            let (head, tail) = parts.split_at_mut(cut);
            apply(head, key);
            apply(tail, advance(key, cut));
            assert_eq!(parts, byte_by_byte(&data, key), "cut at {cut}");
        }
    }
}
