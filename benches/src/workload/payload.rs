//! Data that carries its number and can be checked byte for byte.

/// Digits of the number at the start of the data.
const DIGITS: usize = 10;

/// Makes and checks JSON strings of a fixed length: a number of ten digits and
/// a filling that is different at each position.
#[derive(Debug, Clone)]
pub(super) struct Payload {
    text: Vec<u8>,
}

impl Payload {
    /// Data of `bytes` bytes between the quotes, at least ten.
    pub(super) fn new(bytes: usize) -> Self {
        let filling = (b'a'..=b'w').cycle().take(bytes.saturating_sub(DIGITS));
        let mut text = vec![b'"'];
        text.extend([b'0'; DIGITS]);
        text.extend(filling);
        text.push(b'"');
        Self { text }
    }

    /// The JSON text of number `number`.
    pub(super) fn with(&mut self, number: u64) -> &[u8] {
        let mut rest = number;
        for digit in self.text[1..=DIGITS].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        &self.text
    }

    /// The number of `data`, once every byte of it has been checked.
    pub(super) fn number_of(&self, data: &[u8]) -> Result<u64, String> {
        let filling = 1 + DIGITS;
        if data.len() != self.text.len()
            || data[0] != b'"'
            || data[filling..] != self.text[filling..]
        {
            return Err(format!("changed data: {}", shown(data)));
        }
        data[1..filling].iter().try_fold(0, |number, &digit| {
            if digit.is_ascii_digit() {
                Ok(number * 10 + u64::from(digit - b'0'))
            } else {
                Err(format!("changed data: {}", shown(data)))
            }
        })
    }

    /// Checks that `data` is that of number `expected`.
    pub(super) fn check(&self, expected: u64, data: &[u8]) -> Result<(), String> {
        let number = self.number_of(data)?;
        if number == expected {
            Ok(())
        } else {
            Err(format!("expected message {expected} and got {number}"))
        }
    }
}

/// The beginning of some bytes for an error text.
pub(super) fn shown(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(80)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_the_length_asked_for_and_gives_its_number_back() {
        let mut payload = Payload::new(128);
        let data = payload.with(4_711).to_vec();
        assert_eq!(data.len(), 130);
        assert_eq!(payload.number_of(&data), Ok(4_711));
        assert_eq!(payload.check(4_711, &data), Ok(()));
    }

    #[test]
    fn a_missing_a_repeated_and_a_changed_message_are_found() {
        let mut payload = Payload::new(128);
        let third = payload.with(3).to_vec();
        assert!(payload.check(2, &third).is_err());
        assert!(payload.check(4, &third).is_err());
        for at in 0..third.len() {
            let mut changed = third.clone();
            changed[at] ^= 0x40;
            assert!(payload.check(3, &changed).is_err(), "byte {at}");
        }
        assert!(payload.check(3, &third[..third.len() - 1]).is_err());
    }
}
