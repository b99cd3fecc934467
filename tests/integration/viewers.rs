//! Viewers on the command line: invited once, told in words, let go; against the sandbox and against pools that are not
//! ours.

mod acts;
mod emulators;
mod errors;
mod invitations;
mod privacy;
mod scene;
mod viewer_session;
