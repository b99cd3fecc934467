//! Playback: what the playlists say, and the loopback proxy that the player talks to.

mod access;
mod proxy;
mod stream;

pub use self::access::Access;
pub use self::proxy::Proxy;
pub use self::stream::{Rendition, Stream, read, read_anywhere};
