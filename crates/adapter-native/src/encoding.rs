//! Which envelope a client speaks.

use std::sync::Arc;

use nest_gateway_core::adapter::Codec;
use nest_gateway_core::recovery::Offsets;

use crate::codec::JsonCodec;

/// The envelope of one client, by its subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    #[cfg(feature = "msgpack")]
    Msgpack,
}

impl Encoding {
    /// The encoding that a subprotocol stands for; JSON unless it is another one's.
    pub(crate) fn of(protocol: Option<&str>) -> Self {
        #[cfg(feature = "msgpack")]
        if protocol == Some(crate::MSGPACK_SUBPROTOCOL) {
            return Self::Msgpack;
        }
        let _ = protocol;
        Self::Json
    }

    /// Its codec, whose events have no offsets.
    pub(crate) fn plain(self) -> &'static dyn Codec {
        match self {
            Self::Json => &JsonCodec::PLAIN,
            #[cfg(feature = "msgpack")]
            Self::Msgpack => &crate::msgpack::MsgpackCodec::PLAIN,
        }
    }

    /// Its codec for clients that may come back.
    pub(crate) fn numbered(self, offsets: Arc<Offsets>) -> Arc<dyn Codec> {
        let offsets = Some(offsets);
        match self {
            Self::Json => Arc::new(JsonCodec { offsets }),
            #[cfg(feature = "msgpack")]
            Self::Msgpack => Arc::new(crate::msgpack::MsgpackCodec { offsets }),
        }
    }
}
