//! Watch folders, as an admin and as an editor's export meet them: `reelctl watch run` on real folders.

mod afterwards;
mod crashes;
mod many;
mod once;
mod places;
mod rules;
mod safety;
mod scene;
mod settling;
