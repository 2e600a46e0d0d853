//! Masking of client frames (RFC 6455, section 5.3).

/// How many bytes one step of the loop covers; a multiple of four that fills the widest vector
/// registers, so that the compiler turns the step into vector instructions.
const LANE: usize = 64;

/// Unmasks `data` in place; `key` is the mask as it applies to the first byte.
pub(crate) fn apply(data: &mut [u8], key: [u8; 4]) {
    let mut wide = [0; LANE];
    for (byte, mask) in wide.iter_mut().zip(key.iter().cycle()) {
        *byte = *mask;
    }
    let mut lanes = data.chunks_exact_mut(LANE);
    for lane in &mut lanes {
        for (byte, mask) in lane.iter_mut().zip(&wide) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in lanes.into_remainder().iter_mut().zip(&wide) {
        *byte ^= mask;
    }
}

/// The mask as it applies after `bytes` of payload.
pub(crate) fn advance(mut key: [u8; 4], bytes: usize) -> [u8; 4] {
    key.rotate_left(bytes % 4);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

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
