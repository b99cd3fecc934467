//! What can be asked for.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use reeldesk_core::aws::EncryptionHeader;
use reeldesk_core::upload::{Destination, Rate};
use reeldesk_core::viewers::{Attribute, StateKind};
use reeldesk_core::watch::{Afterwards, Changed, Existing};
#[cfg(feature = "sandbox")]
use reeldesk_shell::{CatalogKind, Generation};

use crate::jobs::Jobs;
use crate::videos::Videos;

/// Reeldesk on the command line.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// The folder of Reeldesk's data (by default the one that the window uses)
    #[arg(long, global = true, env = "REELDESK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The workspace to work in (by default the sandbox, and for `watch run` all of them)
    #[arg(long, global = true)]
    pub workspace: Option<String>,
    /// Print JSON, one value a line
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the sandbox until Ctrl-C
    #[cfg(feature = "sandbox")]
    Sandbox {
        /// The generation of the pipeline: 4.3, 5.2 or 6.1
        #[arg(long, value_name = "VERSION", default_value = "6.1")]
        pipeline: Generation,
        /// A source bucket that is encrypted with a KMS key, and wants it to be asked for
        #[arg(long)]
        kms: bool,
        /// A source bucket with Object Lock
        #[arg(long)]
        object_lock: bool,
        /// Whose catalog table it has: the solution's (solution), or one of an operator's own, with other names (custom);
        /// without it, that of the last time
        #[arg(long, value_name = "KIND")]
        catalog: Option<CatalogKind>,
        /// Let tests order faults and move the clock (/-/faults, /-/clock)
        #[arg(long)]
        control: bool,
    },
    /// Send files, or the videos in folders, and follow them
    Ingest {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Wait until every one can be played, not only until it is in S3
        #[arg(long)]
        wait: bool,
        /// Send no more than so many bytes a second, this time (for example 500K or 10M)
        #[arg(long, value_name = "RATE")]
        limit: Option<Rate>,
        /// Send files too whose content is in the library already, instead of skipping them
        #[arg(long)]
        again: bool,
        /// Send files too of which a part seems to be missing
        #[arg(long)]
        as_is: bool,
    },
    /// What is being sent, and its steering, here or in the process that sends
    #[command(subcommand)]
    Uploads(Uploads),
    /// Send any files to a place in S3, with the credentials, region and endpoint of the usual AWS environment
    Upload {
        /// Files and folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// s3://BUCKET/PREFIX
        #[arg(long)]
        to: Destination,
        /// Replace objects that are there already
        #[arg(long)]
        replace: bool,
        /// Send no more than so many bytes a second (for example 500K or 10M)
        #[arg(long, value_name = "RATE")]
        limit: Option<Rate>,
        /// Ask S3 to encrypt them: AES256, aws:kms or aws:kms:dsse
        #[arg(long, value_name = "HEADER")]
        sse: Option<EncryptionHeader>,
        /// With this key of KMS: its id, ARN or alias
        #[arg(long, value_name = "KEY", requires = "sse")]
        sse_kms_key_id: Option<String>,
    },
    /// The catalog
    #[command(subcommand)]
    Videos(Videos),
    /// MediaConvert jobs
    #[command(subcommand)]
    Jobs(Jobs),
    /// HLS playlists
    #[command(subcommand)]
    Hls(Hls),
    /// Connections to AWS accounts
    #[command(subcommand)]
    Workspace(Workspaces),
    /// Folders whose finished files become videos by themselves
    #[command(subcommand)]
    Watch(Watching),
    /// The people who may watch
    #[command(subcommand)]
    Viewers(People),
}

#[derive(Subcommand)]
pub(crate) enum People {
    /// All viewers, with the state of each
    List {
        /// Only those in this group
        #[arg(long)]
        group: Option<String>,
        /// Only those in this state
        #[arg(long, value_parser = state)]
        state: Option<StateKind>,
        /// Only those with this in their address, name or user name
        #[arg(long, default_value = "")]
        search: String,
        /// Do not ask the pool: as it was last read
        #[arg(long)]
        offline: bool,
    },
    /// One viewer with all attributes
    Show {
        /// The address
        address: String,
    },
    /// Change attributes of a viewer: name="Ada Lovelace" given_name=Ada (an empty value takes one away)
    Edit {
        /// The address
        address: String,
        /// Attributes and their values
        #[arg(required = true, value_name = "ATTRIBUTE=VALUE", value_parser = attribute)]
        attributes: Vec<Attribute>,
    },
    /// The settings of the user pool that matter to those who invite
    Pool,
    /// Invite people who are not in the pool yet; the same command again goes on where it was broken off
    Invite {
        /// Their addresses
        #[arg(required_unless_present = "csv")]
        addresses: Vec<String>,
        /// A list: CSV with a header, or any text with addresses in it (- for standard input)
        #[arg(long, value_name = "FILE", conflicts_with = "addresses")]
        csv: Option<PathBuf>,
        /// The group of those for whom the list names none
        #[arg(long)]
        group: Option<String>,
        /// Send no mail, and print the temporary passwords, once
        #[arg(long)]
        silent: bool,
    },
    /// Send invitations again, with a new temporary password
    Resend(Who),
    /// Delete accounts that nobody has signed in to, and invite their owners once more
    InviteAnew(Who),
    /// Let viewers sign in no longer
    Disable(Who),
    /// Let them sign in again
    Enable(Who),
    /// Sign viewers out everywhere
    SignOut(Who),
    /// Have viewers choose a new password, with a code that they get by mail
    Reset(Who),
    /// Delete viewers for good
    Remove {
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        /// That is meant
        #[arg(long)]
        yes: bool,
    },
    /// Groups of viewers
    #[command(subcommand)]
    Groups(Groups),
    /// Write all viewers into a CSV file
    Export {
        /// The file
        file: PathBuf,
    },
    /// Who did what with whom, and when; the newest last
    Log {
        /// Write all of it into a CSV file
        #[arg(long, value_name = "FILE")]
        csv: Option<PathBuf>,
        /// How many lines
        #[arg(long, default_value_t = 50, conflicts_with = "csv")]
        most: usize,
    },
    /// Undo what was done at once, where that can be
    Undo {
        /// The run, as the log names it
        run: String,
    },
    /// Wipe what this computer keeps of the viewers; in the pool nothing changes
    Forget,
}

fn state(text: &str) -> Result<StateKind, String> {
    let states = "invited, invitationExpired, active, mustReset, disabled, external, unconfirmed, unknown";
    serde_json::from_value(text.into()).map_err(|_| format!("one of {states}"))
}

fn attribute(text: &str) -> Result<Attribute, String> {
    let (name, value) = text.split_once('=').ok_or("it has no =")?;
    Ok(Attribute { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

#[derive(clap::Args)]
pub(crate) struct Who {
    /// Their addresses
    #[arg(required = true)]
    pub addresses: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum Groups {
    /// All groups
    List,
    /// Make one
    Create {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// Delete one; its members stay
    Delete {
        /// Its name
        name: String,
    },
    /// Put viewers into one
    Add {
        /// Its name
        name: String,
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// Take viewers out of one
    Take {
        /// Its name
        name: String,
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum Watching {
    /// Watch a folder for the workspace of --workspace; a window or server that runs begins at once
    Add(Rule),
    /// All watch folders
    List,
    /// Take nothing from a folder until it is resumed
    Pause {
        /// The folder, or its id
        folder: String,
    },
    /// Go on
    Resume {
        /// The folder, or its id
        folder: String,
    },
    /// Another disk took the place of the one that the folder was on: use it as it is
    Accept {
        /// The folder, or its id
        folder: String,
    },
    /// Watch a folder no longer; its files and videos stay
    Remove {
        /// The folder, or its id
        folder: String,
    },
    /// Ingest from the watch folders of all workspaces until Ctrl-C or SIGTERM, or from those of --workspace only
    Run,
}

/// How a folder is watched.
#[derive(clap::Args)]
pub(crate) struct Rule {
    /// The folder
    pub folder: PathBuf,
    /// Leave out the folders in it
    #[arg(long)]
    pub flat: bool,
    /// Take only these files: a line of gitignore such as *.mov (may be given several times)
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// Leave out these files and folders: a line of gitignore (may be given several times)
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// How long a file must be still, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub settle: u32,
    /// Read title and tags from the path, for example {series}/{title}.mp4
    #[arg(long, value_name = "PATTERN")]
    pub naming: Option<String>,
    /// The MediaConvert job template, where the pipeline starts on metadata files
    #[arg(long)]
    pub template: Option<String>,
    /// What becomes of files that are there already: take, leave-out
    #[arg(long, default_value = "leave-out", value_parser = word::<Existing>)]
    pub existing: Existing,
    /// What becomes of a file whose video can be watched: leave, move (to "done"), delete
    #[arg(long, default_value = "leave", value_parser = word::<Afterwards>)]
    pub afterwards: Afterwards,
    /// What becomes of a file that changes after it was sent: ask, send, leave
    #[arg(long, default_value = "ask", value_parser = word::<Changed>)]
    pub changed: Changed,
}

/// One of the words of an enum.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(text.into())
}

#[derive(Subcommand)]
pub(crate) enum Workspaces {
    /// All workspaces
    List,
    /// The profiles of the AWS configuration files
    Profiles,
    /// Sign in to IAM Identity Center with a profile, in the browser of any computer
    SignIn {
        /// The profile
        profile: String,
    },
    /// The pipelines of an account, found in its CloudFormation stacks
    Stacks(Account),
    /// The buckets, tables and user pools that there are, for an account without such a stack
    Names(Account),
    /// Make a workspace of a stack
    Connect {
        /// What to call it
        name: String,
        /// The CloudFormation stack of the pipeline
        #[arg(long)]
        stack: String,
        #[command(flatten)]
        account: Account,
    },
    /// Try everything that Reeldesk does in the workspace of --workspace with harmless real calls
    Check,
    /// What the table of --workspace has, and what its videos read like with the names of [workspace.mapping] in settings.toml
    Table {
        /// Print what the attributes may be called, as settings.toml has it
        #[arg(long)]
        suggest: bool,
    },
    /// Send 64 MiB to the source bucket of --workspace straight and through S3 Transfer Acceleration, and say which is faster
    Compare,
    /// The IAM policy that allows what Reeldesk does in the workspace of --workspace, and no more
    Policy {
        /// Only what is needed to look, and to change nothing
        #[arg(long)]
        read_only: bool,
    },
    /// Write the workspace of --workspace into a file, without secrets
    Export {
        /// The file
        file: PathBuf,
    },
    /// Add the workspace of such a file
    Import {
        /// The file
        file: PathBuf,
    },
    /// Forget a workspace; nothing changes in its account
    Remove {
        /// Its name
        name: String,
    },
}

/// How an account is reached.
#[derive(clap::Args)]
pub(crate) struct Account {
    /// A profile of the AWS configuration files; without one, the AWS variables of the environment
    #[arg(long, env = "AWS_PROFILE")]
    pub profile: Option<String>,
    /// The region; without one, that of the profile
    #[arg(long, env = "AWS_REGION")]
    pub region: Option<String>,
    /// An endpoint of all services instead of AWS's own
    #[arg(long)]
    pub endpoint: Option<String>,
    /// The code that the profile's device shows, where it asks for one
    #[arg(long)]
    pub code: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Uploads {
    /// All journeys of the workspace that are not finished, or need someone
    List,
    /// Stop sending; what S3 has stays
    Pause(Which),
    /// Go on
    Resume(Which),
    /// Stop, and remove what S3 has of it
    Cancel(Which),
    /// Try again what needs someone or was canceled
    Retry(Which),
    /// Send before the others
    First {
        /// Their ids, as the list shows them
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Show the bandwidth limits, or set them for the window and all later runs
    Limit {
        /// Bytes a second (for example 500K or 10M), or "none", which takes all limits away
        #[arg(value_name = "RATE|none")]
        rate: Option<String>,
        /// Only between these times of every day (for example 08:00-18:00); the other times keep their limit
        #[arg(long, value_name = "HH:MM-HH:MM", requires = "rate")]
        between: Option<String>,
    },
    /// Unfinished uploads in the bucket that no journey of this computer will finish
    Orphans {
        /// Remove them from S3
        #[arg(long)]
        remove: bool,
        /// Only those that began so many hours ago: a younger one may be on its way from another computer
        #[arg(long, value_name = "HOURS", default_value_t = 24, requires = "remove")]
        older_than: u64,
    },
}

#[derive(clap::Args)]
#[group(required = true)]
pub(crate) struct Which {
    /// Their ids, as the list shows them
    pub ids: Vec<String>,
    /// All that it applies to
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

#[derive(Subcommand)]
pub(crate) enum Hls {
    /// The renditions of a stream
    Show {
        /// The address or path of its playlist
        uri: String,
    },
}
