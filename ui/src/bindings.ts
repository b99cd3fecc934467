// Generated from the Rust sources by `cargo xtask bindings`. Do not edit.

export type Code = "not-a-video" | "incomplete" | "file-missing" | "file-unreadable" | "file-changed" | "no-videos" | "too-large" | "no-ffmpeg" | "storage-full" | "network" | "sign-in" | "no-keyring" | "access-denied" | "not-found" | "exists" | "integrity" | "encode-failed" | "pipeline-failed" | "canceled" | "duplicate" | "clock" | "in-use" | "invalid" | "playback" | "other-disk" | "watch-limit" | "delivery" | "quota" | "throttled" | "internal";

export type Error = { 
/**
 * Its class.
 */
code: Code, 
/**
 * What happened, and to which file or field.
 */
message: string, 
/**
 * What to do.
 */
remedy: string, 
/**
 * For the engineer: request ids, the service's own words. May be empty.
 */
details: string, };

export type PoolUser = { 
/**
 * The user's name, often an e-mail address.
 */
user: string, 
/**
 * The id of the user pool, `REGION_...`.
 */
pool: string, 
/**
 * The id of the app client; it has no secret and allows `USER_PASSWORD_AUTH`.
 */
client: string, 
/**
 * The id of the identity pool, `REGION:...`.
 */
identityPool: string, };

export type CredentialsSource = { "kind": "sandbox" } | { "kind": "profile", 
/**
 * Its name.
 */
name: string, } | { "kind": "environment" } | { "kind": "accessKey", 
/**
 * The entry that holds it, in the keyring or in memory.
 */
entry: string, } | { "kind": "poolUser", 
/**
 * The entry that holds the refresh token, in the keyring or in memory.
 */
entry: string, 
/**
 * The user's name, often an e-mail address.
 */
user: string, 
/**
 * The id of the user pool, `REGION_...`.
 */
pool: string, 
/**
 * The id of the app client; it has no secret and allows `USER_PASSWORD_AUTH`.
 */
client: string, 
/**
 * The id of the identity pool, `REGION:...`.
 */
identityPool: string, };

export type AccessKey = { 
/**
 * `AKIA...`, or `ASIA...` for a temporary one.
 */
accessKeyId: string, 
/**
 * The secret part.
 */
secretAccessKey: string, 
/**
 * Only temporary keys have one.
 */
sessionToken?: string | null, };

export type SignIn = { "kind": "accessKey", 
/**
 * Where it will be kept.
 */
entry: string, } | { "kind": "mfaCode", 
/**
 * The profile.
 */
profile: string, 
/**
 * The ARN or serial number of the device.
 */
device: string, } | { "kind": "sso", 
/**
 * The profile.
 */
profile: string, } | { "kind": "password", 
/**
 * Where the refresh token will be kept.
 */
entry: string, 
/**
 * The user's name, often an e-mail address.
 */
user: string, 
/**
 * The id of the user pool, `REGION_...`.
 */
pool: string, 
/**
 * The id of the app client; it has no secret and allows `USER_PASSWORD_AUTH`.
 */
client: string, 
/**
 * The id of the identity pool, `REGION:...`.
 */
identityPool: string, } | { "kind": "elsewhere", 
/**
 * What to do, as a sentence.
 */
remedy: string, };

export type Keep = "keyring" | "session";

export type Connection = { 
/**
 * The AWS region.
 */
region: string, 
/**
 * Where the credentials come from.
 */
credentials: CredentialsSource, 
/**
 * An endpoint of all services instead of AWS's own.
 */
endpoint?: string | null, 
/**
 * An endpoint of S3 alone.
 */
s3Endpoint?: string | null, 
/**
 * Whether to use the endpoints that are validated for FIPS 140.
 */
fips: boolean, 
/**
 * Whether to use the endpoints that have IPv6 too.
 */
dualStack: boolean, 
/**
 * Whether the bytes of uploads go through S3 Transfer Acceleration. Source: S3 User Guide, "Configuring fast, secure
 * file transfers using Amazon S3 Transfer Acceleration".
 */
transferAcceleration: boolean, };

export type Color = "violet" | "blue" | "green" | "orange" | "red" | "gray";

export type Trigger = "videoFile" | "metadataFile";

export type Acceleration = "enabled" | "disabled" | "preferred";

export type PlaybackAccess = "cdn" | "bucket";

export type IngestMode = { "kind": "pipeline", 
/**
 * What starts it.
 */
trigger: Trigger, 
/**
 * Whether it takes pictures of the video.
 */
frameCapture: boolean, 
/**
 * Whether it encodes long videos in pieces at once.
 */
acceleration: Acceleration, };

export type EncryptionHeader = "none" | "aes256" | "kms" | "kmsDsse";

export type MappedStatus = "ingest" | "encoding" | "complete" | "error" | "canceled";

export type DurationUnit = "seconds" | "milliseconds";

export type MappedIndex = { 
/**
 * What it is called.
 */
name: string, 
/**
 * Its partition key.
 */
partitionKey: string, 
/**
 * The value that all videos have there.
 */
partitionValue: string, 
/**
 * Its sort key.
 */
sortKey: string, };

export type TableMapping = { 
/**
 * The partition key; none for `guid`.
 */
key?: string | null, 
/**
 * The title. Changes are written there.
 */
title?: string | null, 
/**
 * The description. Changes are written there.
 */
description?: string | null, 
/**
 * Whether viewers may see it. Changes are written there, as the item has it: true or false, 1 or 0, or a word.
 */
published?: string | null, 
/**
 * The words for published and not published, where it is a text.
 */
publishedWords?: [string, string] | null, 
/**
 * Where it stands.
 */
status?: string | null, 
/**
 * What its words mean; the others are shown as they are.
 */
statusWords: { [key in string]: MappedStatus }, 
/**
 * Why it failed.
 */
errorMessage?: string | null, 
/**
 * When it began.
 */
startedAt?: string | null, 
/**
 * When it ended.
 */
endedAt?: string | null, 
/**
 * How long it is.
 */
duration?: string | null, 
/**
 * What that counts.
 */
durationUnit: DurationUnit, 
/**
 * The key of its source in the source bucket, or its `s3://` address.
 */
source?: string | null, 
/**
 * The MediaConvert job.
 */
job?: string | null, 
/**
 * The multivariant playlist of HLS: an address, or a path.
 */
hls?: string | null, 
/**
 * MP4 files: addresses, or paths.
 */
mp4?: string | null, 
/**
 * Captured pictures: addresses, or paths.
 */
thumbnails?: string | null, 
/**
 * The sizes that there are, such as `1920x1080` or `1080p`.
 */
resolutions?: string | null, 
/**
 * What makes an address of a path: `{cdn}` is the workspace's CDN, `{path}` the path, `{key}` the video's key. None for
 * `{cdn}/{path}`.
 */
address?: string | null, 
/**
 * An index by time; without one new videos are found by reading all of the table.
 */
index?: MappedIndex | null, };

export type Workspace = { 
/**
 * What it is called.
 */
name: string, 
/**
 * The color that it is known by.
 */
color: Color, 
/**
 * The id of the account, where it is known.
 */
account?: string | null, 
/**
 * The CloudFormation stack of the pipeline, where it is known.
 */
stack?: string | null, 
/**
 * The bucket that masters are uploaded to.
 */
sourceBucket: string, 
/**
 * The bucket that encodes are written to.
 */
destinationBucket: string, 
/**
 * The catalog table.
 */
table: string, 
/**
 * `https://<CloudFront domain>`, without a slash at the end.
 */
cdn: string, 
/**
 * The id of the user pool of the viewers.
 */
userPool?: string | null, 
/**
 * The app client of the pool that viewers sign in with.
 */
appClient?: string | null, 
/**
 * The ARN of the role that MediaConvert works with.
 */
role?: string | null, 
/**
 * The MediaConvert queue of its jobs; none for the account's default one.
 */
queue?: string | null, 
/**
 * The job template of its jobs; none for the pipeline's own choice.
 */
template?: string | null, 
/**
 * The encryption that the source bucket wants to be asked for.
 */
encryption: EncryptionHeader, 
/**
 * The key of KMS that the source bucket is encrypted with, where it is a customer's own: its id, ARN or alias.
 */
kmsKey?: string | null, 
/**
 * How its streams are read here.
 */
playback: PlaybackAccess, 
/**
 * What the attributes of the table are called, where they are not only the pipeline's.
 */
mapping?: TableMapping | null, 
/**
 * Who makes the job.
 */
mode: IngestMode, 
/**
 * The AWS region.
 */
region: string, 
/**
 * Where the credentials come from.
 */
credentials: CredentialsSource, 
/**
 * An endpoint of all services instead of AWS's own.
 */
endpoint?: string | null, 
/**
 * An endpoint of S3 alone.
 */
s3Endpoint?: string | null, 
/**
 * Whether to use the endpoints that are validated for FIPS 140.
 */
fips: boolean, 
/**
 * Whether to use the endpoints that have IPv6 too.
 */
dualStack: boolean, 
/**
 * Whether the bytes of uploads go through S3 Transfer Acceleration. Source: S3 User Guide, "Configuring fast, secure
 * file transfers using Amazon S3 Transfer Acceleration".
 */
transferAcceleration: boolean, };

export type Habits = { 
/**
 * It goes on without its window, with an icon in the system's tray.
 */
staysInTray: boolean, };

export type SavedView = { 
/**
 * What it is called.
 */
name: string, 
/**
 * Where it leads: what stands behind the `#` of the window's address.
 */
address: string, };

export type LibraryLayout = { 
/**
 * As posters, not as a list.
 */
posters: boolean, 
/**
 * The columns of the list, by their names; none for those that are there at first.
 */
columns?: Array<string> | null, };

export type ProfileKind = { "kind": "accessKey" } | { "kind": "role" } | { "kind": "roleWithMfa", 
/**
 * The ARN or serial number of the device.
 */
device: string, 
/**
 * The ARN of the role.
 */
role: string, 
/**
 * The profile that assumes it.
 */
source: string, 
/**
 * What the role's owner wants to be told, where they do.
 */
externalId: string | null, 
/**
 * Seconds that the credentials are to be good for (`duration_seconds`); none for STS's own hour.
 */
duration: number | null, 
/**
 * What the session is called in CloudTrail (`role_session_name`).
 */
session: string | null, } | { "kind": "sso", 
/**
 * The name of the session, as the file has it; none for a profile of the older kind.
 */
session: string | null, 
/**
 * Where people sign in.
 */
startUrl: string, 
/**
 * The region of the Identity Center.
 */
region: string, } | { "kind": "login" } | { "kind": "process" } | { "kind": "other" };

export type Profile = { 
/**
 * Its name.
 */
name: string, 
/**
 * The region that it names.
 */
region: string | null, 
/**
 * How it gets its credentials.
 */
kind: ProfileKind, };

export type Profiles = { 
/**
 * By name, `default` first.
 */
profiles: Array<Profile>, 
/**
 * With file and line.
 */
troubles: Array<Error>, };

export type Identity = { 
/**
 * The id of the account.
 */
account: string, 
/**
 * The ARN of the user or role.
 */
arn: string, };

export type Stack = { 
/**
 * Its name.
 */
name: string, 
/**
 * The version of the solution, where its description tells.
 */
version: string | null, 
/**
 * Why Reeldesk cannot work with it, where it cannot.
 */
unsupported: string | null, 
/**
 * The workspace that it makes; fields that it does not tell are empty.
 */
workspace: Workspace, };

export type Choice = { 
/**
 * What can be chosen.
 */
names: Array<string>, 
/**
 * Why nothing is listed.
 */
trouble: Error | null, };

export type Choices = { 
/**
 * Buckets.
 */
buckets: Choice, 
/**
 * Tables.
 */
tables: Choice, 
/**
 * User pools, by id.
 */
userPools: Choice, };

export type Missing = { 
/**
 * Such as `s3:PutObject`.
 */
action: string, 
/**
 * The ARNs to allow it on.
 */
resources: Array<string>, 
/**
 * What it is for.
 */
why: string, };

export type Rights = "look" | "change";

export type Area = "signIn" | "upload" | "pipeline" | "encoding" | "catalog" | "playback" | "viewers";

export type Outcome = { "outcome": "works", 
/**
 * What there is to know; may be empty.
 */
note: string, } | { "outcome": "advice", 
/**
 * What it is.
 */
message: string, 
/**
 * What to do.
 */
remedy: string, } | { "outcome": "denied", 
/**
 * What to ask the engineer for.
 */
missing: Missing, 
/**
 * What AWS said.
 */
details: string, } | { "outcome": "wrong", 
/**
 * What, and what to do.
 */
error: Error, } | { "outcome": "skipped", 
/**
 * Why.
 */
reason: string, };

export type Finding = { 
/**
 * What it is about.
 */
area: Area, 
/**
 * What was tried, such as "Send a file".
 */
title: string, } & ({ "outcome": "works", 
/**
 * What there is to know; may be empty.
 */
note: string, } | { "outcome": "advice", 
/**
 * What it is.
 */
message: string, 
/**
 * What to do.
 */
remedy: string, } | { "outcome": "denied", 
/**
 * What to ask the engineer for.
 */
missing: Missing, 
/**
 * What AWS said.
 */
details: string, } | { "outcome": "wrong", 
/**
 * What, and what to do.
 */
error: Error, } | { "outcome": "skipped", 
/**
 * Why.
 */
reason: string, });

export type Comparison = { 
/**
 * Bytes a second straight to the bucket.
 */
straight: number, 
/**
 * Bytes a second through Transfer Acceleration.
 */
accelerated: number, };

export type Guid = string;

export type Status = { "kind": "ingest" } | { "kind": "encoding" } | { "kind": "complete" } | { "kind": "error", 
/**
 * The step that failed.
 */
at: string, 
/**
 * What it said, in one line.
 */
message: string, } | { "kind": "canceled" } | { "kind": "other", 
/**
 * The word.
 */
word: string, };

export type Video = { 
/**
 * Its key.
 */
guid: Guid, 
/**
 * What the admin calls it, or the name of its source.
 */
title: string, 
/**
 * What admins say of it.
 */
details: VideoDetails, 
/**
 * How often they have changed that.
 */
revision: number, 
/**
 * When someone began to delete it for good, in milliseconds since the epoch: it cannot be restored.
 */
purgeBegan: number | null, 
/**
 * Their newest changes, the last one first.
 */
edits: Array<PastEdit>, 
/**
 * What the pipeline made of it.
 */
outputs: Array<Output>, 
/**
 * The keys of the objects in the bucket of its source that go with it, and of those that admins took off it.
 */
sidecars: Array<string>, 
/**
 * Where it stands.
 */
status: Status, 
/**
 * When the pipeline took it, in milliseconds since the epoch.
 */
startedAt: number | null, 
/**
 * When it ended.
 */
endedAt: number | null, 
/**
 * Seconds of the source.
 */
duration: number | null, 
/**
 * Seconds of what was made of it.
 */
madeDuration: number | null, 
/**
 * Whether that is shorter than the source by more than containers differ.
 */
isShorter: boolean, 
/**
 * Whether the pipeline has worked on it for longer than any job takes.
 */
isStuck: boolean, 
/**
 * Pixels of the source.
 */
width: number | null, 
/**
 * Pixels of the source.
 */
height: number | null, 
/**
 * Whether subtitles are in the source, or go with it.
 */
hasCaptions: boolean, 
/**
 * Whether the source has a high dynamic range (PQ or HLG).
 */
isHdr: boolean, 
/**
 * The bucket of the source.
 */
srcBucket: string | null, 
/**
 * The key of the source.
 */
srcVideo: string | null, 
/**
 * Bytes of its source, as Reeldesk sent it.
 */
sourceSize: number | null, 
/**
 * The CRC-64/NVME of its source, in base64.
 */
sourceChecksum: string | null, 
/**
 * The multivariant playlist behind the CDN.
 */
hlsUrl: string | null, 
/**
 * MP4 files behind the CDN.
 */
mp4Urls: Array<string>, 
/**
 * A picture behind the CDN.
 */
thumbnailUrl: string | null, 
/**
 * The MediaConvert job.
 */
jobId: string | null, 
/**
 * The name of the pipeline.
 */
workflow: string | null, 
/**
 * The job template that was used.
 */
jobTemplate: string | null, 
/**
 * The container and the tracks of the source, in words; only where one video is read.
 */
media: Array<string>, 
/**
 * What a table of one's own has besides, by the names of its attributes.
 */
others: { [key in string]: string }, };

export type FoundAttribute = { 
/**
 * Its name; in a map, the names that lead to it, with dots between them.
 */
name: string, 
/**
 * A value that it has.
 */
example: string, };

export type TablePreview = { 
/**
 * Its attributes, as the items have them that were looked at.
 */
attributes: Array<FoundAttribute>, 
/**
 * The words that are in the attribute of the status.
 */
statusWords: Array<string>, 
/**
 * Its indexes that have a sort key.
 */
indexes: Array<MappedIndex>, 
/**
 * What its attributes may be called, by their names.
 */
suggestion: TableMapping, 
/**
 * Some of its videos, read by the names that the workspace has now.
 */
videos: Array<Video>, };

export type RunSubject = "viewers" | "videos";

export type VideoDetails = { 
/**
 * The title that they gave it; without one its source names it.
 */
title: string | null, 
/**
 * What else they say of it.
 */
description: string | null, 
/**
 * Tags, and other attributes: name and value.
 */
tags: { [key in string]: string }, 
/**
 * The files that go with it, subtitles for one: the key of each in the bucket of its source, and how it is called. It may be
 * called nothing.
 */
sidecars: { [key in string]: string }, 
/**
 * Whether viewers may see it; none where nobody has said.
 */
published: boolean | null, 
/**
 * From when on they may, in milliseconds since the epoch.
 */
publishFrom: number | null, 
/**
 * Until when they may, in milliseconds since the epoch.
 */
publishUntil: number | null, 
/**
 * The address of the picture that stands for it; without one the pipeline's last picture does.
 */
poster: string | null, 
/**
 * When it was moved to the trash, in milliseconds since the epoch.
 */
trashedAt: number | null, };

export type VideoField = { "kind": "title" } | { "kind": "description" } | { "kind": "tag", "name": string } | { "kind": "sidecar", "name": string } | { "kind": "published" } | { "kind": "publishFrom" } | { "kind": "publishUntil" } | { "kind": "poster" } | { "kind": "trashedAt" };

export type FieldChange = { 
/**
 * Which one.
 */
field: VideoField, 
/**
 * What it was.
 */
before: string | null, 
/**
 * What it becomes.
 */
after: string | null, };

export type PastEdit = { 
/**
 * When, in milliseconds since the epoch.
 */
at: number | null, 
/**
 * The ARN of who did it.
 */
who: string, 
/**
 * What was changed: `title`, `tags`, ...
 */
fields: Array<string>, };

export type Output = { 
/**
 * What it is.
 */
kind: OutputKind, 
/**
 * Behind the CDN, as the item has it.
 */
url: string, };

export type OutputKind = "hls" | "dash" | "cmaf-hls" | "cmaf-dash" | "mss" | "mp4" | "thumbnail" | "media-package";

export type VideoPatch = { 
/**
 * The title. `{title}`, `{file}` (the source's name without its ending), `{number}` (1, 2, ... in the order of the
 * selection) and `{guid}` stand for what they are of each video; an empty one takes the title away.
 */
title: string | null, 
/**
 * The description; an empty one takes it away.
 */
description: string | null, 
/**
 * Whether the tags that are not named here go.
 */
clearTags: boolean, 
/**
 * Tags that are added, or get another value.
 */
setTags: { [key in string]: string }, 
/**
 * Tags that go.
 */
removeTags: Array<string>, 
/**
 * Whether it is published.
 */
published: boolean | null, 
/**
 * From when on, in ISO 8601; an empty one takes it away.
 */
publishFrom: string | null, 
/**
 * Until when, in ISO 8601; an empty one takes it away.
 */
publishUntil: string | null, 
/**
 * The address of the poster; an empty one takes it away.
 */
poster: string | null, 
/**
 * Moves it to the trash, or out of it.
 */
trashed: boolean | null, };

export type VideoSelection = { "kind": "these", 
/**
 * Their keys.
 */
guids: Array<Guid>, } | { "kind": "matching", 
/**
 * The query.
 */
query: VideoQuery, };

export type EditPreview = { 
/**
 * Videos that are meant.
 */
videos: number, 
/**
 * Those of them that it would change.
 */
changed: number, 
/**
 * Fields that would change, over all of them.
 */
changes: number, 
/**
 * The first of them that would change, and how.
 */
samples: Array<EditSample>, 
/**
 * What is the same of all of them now.
 */
common: VideoDetails, 
/**
 * What is not.
 */
mixed: Array<VideoField>, 
/**
 * Videos that were named and that nobody knows.
 */
unknown: number, 
/**
 * Videos that cannot be changed like this.
 */
refused: number, 
/**
 * The first of them, and why.
 */
refusal: Error | null, };

export type EditSample = { 
/**
 * Which one.
 */
guid: Guid, 
/**
 * What it is called now.
 */
title: string, 
/**
 * How it would change.
 */
changes: Array<FieldChange>, };

export type Exported = { 
/**
 * How many videos.
 */
videos: number, 
/**
 * Tags that have no column, because there are too many.
 */
tagsLeftOut: number, };

export type ImportPreview = { 
/**
 * Lines of videos that are known.
 */
videos: number, 
/**
 * Those of them that would change.
 */
changed: number, 
/**
 * Fields that would change, over all of them.
 */
changes: number, 
/**
 * The first of them that would change, and how.
 */
samples: Array<EditSample>, 
/**
 * The first lines that cannot be used, and why.
 */
problems: Array<ImportProblem>, 
/**
 * Lines that cannot be used, all of them.
 */
unusable: number, 
/**
 * Columns that nobody knows: they change nothing.
 */
unknownColumns: Array<string>, };

export type ImportProblem = { 
/**
 * Its number, from 1; the first one has the names of the columns.
 */
line: number, 
/**
 * Which video it names.
 */
key: string, 
/**
 * Why.
 */
reason: string, };

export type EditOutcome = { "kind": "done" } | { "kind": "unchanged" } | { "kind": "aside" } | { "kind": "failed", 
/**
 * Why.
 */
error: Error, };

export type EditResult = { 
/**
 * Its key.
 */
guid: Guid, 
/**
 * What it is called.
 */
title: string, 
/**
 * How it ended.
 */
outcome: EditOutcome, };

export type EditSummary = { 
/**
 * The run, to undo or resume it by.
 */
run: string, 
/**
 * All that were meant.
 */
of: number, 
/**
 * Changed.
 */
done: number, 
/**
 * They were so already.
 */
unchanged: number, 
/**
 * Changed by someone else since they were read, and left as they are.
 */
aside: number, 
/**
 * They could not be changed.
 */
failed: number, 
/**
 * Their turn has not come: it was stopped, or broke off.
 */
left: number, 
/**
 * Those that may go well at another try, as they are then.
 */
retriable: number, 
/**
 * Whether what was changed can be undone.
 */
canBeUndone: boolean, 
/**
 * Why it broke off.
 */
error: Error | null, };

export type EditLogEntry = { 
/**
 * Its number; later ones are higher.
 */
id: number, 
/**
 * The run, to undo or resume it by.
 */
run: string, 
/**
 * When, in milliseconds since the epoch.
 */
at: number, 
/**
 * The ARN of who did it.
 */
who: string, 
/**
 * What was done: `edit`, `publish`, `unpublish`, `trash`, `restore`, `import`, `undo`, `purge`.
 */
what: string, 
/**
 * Videos that were meant.
 */
of: number, 
/**
 * Videos that were changed.
 */
done: number, 
/**
 * Videos that could not be changed, or that someone else changed.
 */
failed: number, 
/**
 * Videos whose turn has not come: it was stopped, or broke off.
 */
left: number, 
/**
 * The first of its videos, and how that was changed.
 */
guid: Guid | null, 
/**
 * What that one is called.
 */
title: string | null, 
/**
 * How it was changed.
 */
changes: Array<FieldChange>, 
/**
 * What was deleted for good, of all of them.
 */
purged: Purged | null, 
/**
 * Whether it can be undone: for a day, what was changed and not changed back.
 */
canBeUndone: boolean, };

export type Saved = { "kind": "saved", 
/**
 * As it is now.
 */
video: Video, 
/**
 * The run, to undo it by; none where nothing had to change.
 */
run: string | null, } | { "kind": "conflict", 
/**
 * As it is now.
 */
video: Video, 
/**
 * The fields that both changed: what was read, and what is there now.
 */
theirs: Array<FieldChange>, };

export type PurgeKind = "outputs" | "thumbnails" | "source" | "sidecars" | "versions" | "edge" | "item";

export type PurgePart = { 
/**
 * What it is.
 */
kind: PurgeKind, 
/**
 * Where it is, such as `s3://bucket/prefix/`.
 */
place: string, 
/**
 * How many objects there are.
 */
objects: number, 
/**
 * Their bytes.
 */
bytes: number, 
/**
 * Older versions of them, and deleted ones that the bucket keeps; none where they may not be listed.
 */
versions: number | null, 
/**
 * Their bytes.
 */
versionBytes: number, 
/**
 * Why it cannot go; none where it can.
 */
whyNot: Error | null, };

export type PurgePlan = { 
/**
 * Its key.
 */
guid: Guid, 
/**
 * What it is called.
 */
title: string, 
/**
 * Until when it can be restored, in milliseconds since the epoch: others may count on that.
 */
restorableUntil: number, 
/**
 * All that belongs to it.
 */
parts: Array<PurgePart>, };

export type Purged = { 
/**
 * Where it was.
 */
places: Array<string>, 
/**
 * What was ticked and stays, because it is not this video's alone.
 */
kept: Array<string>, 
/**
 * How many objects and versions.
 */
objects: number, 
/**
 * Their bytes.
 */
bytes: number, };

export type Publication = "published" | "timed" | "draft" | "unsaid";

export type VideoSummary = { 
/**
 * Its key.
 */
guid: Guid, 
/**
 * What the admin calls it, or the name of its source.
 */
title: string, 
/**
 * What admins say of it; long descriptions are cut, and what goes with it is left out.
 */
details: VideoDetails, 
/**
 * How often they have changed that.
 */
revision: number, 
/**
 * Where it stands.
 */
status: Status, 
/**
 * When the pipeline took it, in milliseconds since the epoch.
 */
startedAt: number | null, 
/**
 * When it ended.
 */
endedAt: number | null, 
/**
 * Seconds of the source.
 */
duration: number | null, 
/**
 * Pixels of the source.
 */
width: number | null, 
/**
 * Pixels of the source.
 */
height: number | null, 
/**
 * Whether what was made is shorter than the source by more than containers differ.
 */
isShorter: boolean, 
/**
 * Whether the pipeline has worked on it for longer than any job takes, as it was read.
 */
isStuck: boolean, 
/**
 * Whether there is a playlist.
 */
hasStream: boolean, 
/**
 * Whether subtitles are in the source, or go with it.
 */
hasCaptions: boolean, 
/**
 * Whether the source has a high dynamic range (PQ or HLG).
 */
isHdr: boolean, 
/**
 * The bucket of the source.
 */
srcBucket: string | null, 
/**
 * The key of the source.
 */
srcVideo: string | null, 
/**
 * Bytes of its source, as Reeldesk sent it.
 */
sourceSize: number | null, 
/**
 * The CRC-64/NVME of its source, in base64.
 */
sourceChecksum: string | null, 
/**
 * Addresses of outputs that are not in a folder of the video's own.
 */
outputsElsewhere: Array<string>, 
/**
 * A picture behind the CDN.
 */
thumbnailUrl: string | null, 
/**
 * The MediaConvert job.
 */
jobId: string | null, 
/**
 * The name of the pipeline.
 */
workflow: string | null, 
/**
 * The job template that was used.
 */
jobTemplate: string | null, };

export type StatusKind = "ingest" | "encoding" | "complete" | "error" | "canceled" | "other";

export type VideoResolution = "sd" | "hd" | "full-hd" | "uhd";

export type Length = "under-a-minute" | "under-ten-minutes" | "under-an-hour" | "an-hour-and-more";

export type Facet = { "kind": "status", "value": StatusKind } | { "kind": "shorter" } | { "kind": "attention" } | { "kind": "stuck" } | { "kind": "resolution", "value": VideoResolution } | { "kind": "length", "value": Length } | { "kind": "hdr" } | { "kind": "captions" } | { "kind": "otherBucket", "value": string } | { "kind": "workflow", "value": string } | { "kind": "template", "value": string } | { "kind": "tag", "value": string } | { "kind": "publication", "value": Publication } | { "kind": "trashed" };

export type VideoSort = "started" | "title" | "duration" | "match";

export type VideoQuery = { 
/**
 * Beginnings of words, in any order; empty for all.
 */
text: string, 
/**
 * Of those of one kind any is enough; each kind that is there is meant.
 */
facets: Array<Facet>, 
/**
 * Those that began in this second or later, in milliseconds since the epoch.
 */
from: number | null, 
/**
 * Those that began before this second, in milliseconds since the epoch; a part of a second counts as a whole one.
 */
until: number | null, 
/**
 * By what they are sorted.
 */
sort: VideoSort, 
/**
 * From the last to the first.
 */
descending: boolean, };

export type FoundVideos = { 
/**
 * In the order that was asked for.
 */
videos: Array<VideoSummary>, };

export type FacetCount = { 
/**
 * What.
 */
facet: Facet, 
/**
 * Of how many videos.
 */
count: number, };

export type VideoCounts = { 
/**
 * That it finds.
 */
found: number, 
/**
 * That there are.
 */
total: number, 
/**
 * How many it would find with each facet instead of those of its kind; the most frequent ones.
 */
facets: Array<FacetCount>, };

export type Filling = { 
/**
 * Videos that were read.
 */
read: number, 
/**
 * Videos that there are, as DynamoDB guesses.
 */
estimated: number, };

export type MirrorAge = { 
/**
 * When the newest videos were read, in milliseconds since the epoch.
 */
readAt: number | null, 
/**
 * When the last reading of all of the table began that came to its end, in milliseconds since the epoch.
 */
sweptAt: number | null, };

export type State = "submitted" | "progressing" | "complete" | "canceled" | "error";

export type Phase = "probing" | "transcoding" | "uploading";

export type Job = { 
/**
 * Its id.
 */
id: string, 
/**
 * Where it stands.
 */
state: State, 
/**
 * What it does, while it is worked on.
 */
phase: Phase | null, 
/**
 * 0 to 100, as MediaConvert says; not every input has it.
 */
percent: number | null, 
/**
 * The video that it belongs to.
 */
guid: Guid | null, 
/**
 * The object that it reads.
 */
input: string | null, 
/**
 * The template that it was made from.
 */
template: string | null, 
/**
 * The queue's name.
 */
queue: string | null, 
/**
 * Milliseconds since the epoch.
 */
submittedAt: number | null, 
/**
 * When MediaConvert began to work on it, in milliseconds since the epoch.
 */
startedAt: number | null, 
/**
 * Milliseconds since the epoch.
 */
finishedAt: number | null, 
/**
 * Seconds of its longest output, once there is one.
 */
duration: number | null, 
/**
 * -50 to 50; those with a higher one come first in their queue.
 */
priority: number | null, 
/**
 * MediaConvert's error code.
 */
errorCode: number | null, 
/**
 * MediaConvert's own words.
 */
errorMessage: string | null, 
/**
 * What the error means, where it failed.
 */
failure: JobFailure | null, 
/**
 * What MediaConvert warned of.
 */
warnings: Array<string>, };

export type JobQuery = { 
/**
 * Beginnings of words of the source, the id, the template, the queue or the error, in any order; empty for all.
 */
text: string, 
/**
 * One of these; empty for all.
 */
states: Array<State>, 
/**
 * The queue's name.
 */
queue: string | null, 
/**
 * Submitted at this time or later, in milliseconds since the epoch.
 */
from: number | null, 
/**
 * Submitted before this time, in milliseconds since the epoch.
 */
until: number | null, };

export type FoundJobs = { 
/**
 * The newest first.
 */
jobs: Array<Job>, 
/**
 * The titles of their videos, by guid, as far as this computer knows them.
 */
titles: { [key in string]: string }, };

export type JobStateCount = { 
/**
 * Which.
 */
state: State, 
/**
 * How many the query would find with this state instead of its own.
 */
count: number, };

export type JobCounts = { 
/**
 * That it finds.
 */
found: number, 
/**
 * That this computer knows.
 */
total: number, 
/**
 * All states.
 */
states: Array<JobStateCount>, 
/**
 * The queues that jobs were in.
 */
queues: Array<string>, 
/**
 * When MediaConvert was last asked, in milliseconds since the epoch.
 */
readAt: number | null, 
/**
 * Whether all that MediaConvert keeps was read once.
 */
isWhole: boolean, };

export type FailureClass = "file" | "settings" | "rights" | "later" | "unknown";

export type JobFailure = { 
/**
 * Whether another try helps.
 */
class: FailureClass, 
/**
 * What happened, as a sentence.
 */
message: string, 
/**
 * What to do, as a sentence.
 */
remedy: string, };

export type Stage = "paused" | "checking" | "waiting" | "sending" | "finalising" | "verified" | "queued" | "encoding" | "playable" | "needsYou" | "skipped" | "canceled" | "canceling";

export type Undo = { 
/**
 * Until when, in milliseconds since the epoch.
 */
until: number, 
/**
 * The stage that it goes back to.
 */
backTo: Stage, 
/**
 * Whether S3 may have anything of it.
 */
hasBegun: boolean, };

export type Media = { 
/**
 * ffprobe's names of the container.
 */
container: string, 
/**
 * Seconds.
 */
duration: number, 
/**
 * Seconds of the picture, where the sound is longer.
 */
picture: number | null, 
/**
 * The video codec.
 */
videoCodec: string, 
/**
 * Pixels.
 */
width: number, 
/**
 * Pixels.
 */
height: number, 
/**
 * Degrees that a player turns the picture by.
 */
rotation: number, 
/**
 * The audio codec; none for a silent film.
 */
audioCodec: string | null, };

export type Journey = { 
/**
 * Its own id.
 */
id: string, 
/**
 * Its place in the list, counting up.
 */
position: number, 
/**
 * What was added at once bears the same number, counting up with time (milliseconds since the epoch).
 */
batch: number, 
/**
 * Higher is sent earlier; those alike in the order of their places.
 */
priority: number, 
/**
 * The file.
 */
path: string, 
/**
 * The watch folder that handed it over.
 */
watchFolder: string | null, 
/**
 * The admin's name for it.
 */
title: string, 
/**
 * What else is said of it, by name.
 */
tags: { [key in string]: string }, 
/**
 * Files that go with it: subtitles, metadata.
 */
sidecars: string[], 
/**
 * Someone wants it sent as it is, though it does not look complete.
 */
insisted: boolean, 
/**
 * The MediaConvert job template, where it is not left to the pipeline.
 */
template: string | null, 
/**
 * Where it stands.
 */
stage: Stage, 
/**
 * Bytes of the file.
 */
size: number, 
/**
 * Bytes that left this computer (stored and in flight).
 */
sent: number, 
/**
 * Bytes that S3 has: these are never sent again.
 */
stored: number, 
/**
 * Bytes a second, smoothed; none while it is not known.
 */
speed: number | null, 
/**
 * Seconds left of the sending, an estimate; none while it is not known.
 */
timeLeft: number | null, 
/**
 * Percent of the encode, as MediaConvert says.
 */
percent: number | null, 
/**
 * What is worth knowing about this stage: a stall, a retry, an overrun.
 */
notice: string | null, 
/**
 * Why it cannot go on.
 */
error: Error | null, 
/**
 * What is there already, where that is the question, or was.
 */
conflict: Conflict | null, 
/**
 * What becomes of it where it is there already.
 */
answers: Resolutions, 
/**
 * The CRC64NVME of the file, once it was read.
 */
checksum: string | null, 
/**
 * What the file is.
 */
media: Media | null, 
/**
 * The key of its object.
 */
key: string | null, 
/**
 * Its video.
 */
guid: Guid | null, 
/**
 * Its job.
 */
jobId: string | null, 
/**
 * The address of its stream.
 */
hlsUrl: string | null, 
/**
 * When it was added, in milliseconds since the epoch.
 */
addedAt: number, 
/**
 * When its stage last changed.
 */
stageSince: number, 
/**
 * When it was known that the object is there.
 */
verifiedAt: number | null, 
/**
 * The object was not made before this: the pipeline's item is looked for from then on.
 */
completingAt: number | null, 
/**
 * How its cancel can be undone, for as long as it can.
 */
undo: Undo | null, 
/**
 * When its object was deleted again, because it was canceled.
 */
deletedAt: number | null, };

export type JourneyCommand = "pause" | "resume" | "cancel" | "cancel-with-undo" | "undo-cancel" | "retry" | "first" | "insist";

export type SignInNeed = { 
/**
 * AWS does not accept the credentials: all sending waits.
 */
now: Error | null, 
/**
 * They end soon.
 */
soon: Error | null, };

export type Conflict = { 
/**
 * Whether it has the same content, byte for byte; otherwise it has only the same name.
 */
sameContent: boolean, 
/**
 * The key of its source.
 */
key: string, 
/**
 * Its title.
 */
title: string, 
/**
 * Bytes of its source.
 */
size: number, 
/**
 * When it was verified in S3, in milliseconds since the epoch; none while it is on its way.
 */
sentAt: number | null, 
/**
 * Its video, once the catalog has one.
 */
guid: Guid | null, 
/**
 * The address of its stream.
 */
hlsUrl: string | null, };

export type Resolution = "skip" | "keep-both";

export type Resolutions = { 
/**
 * Where the content is there already.
 */
sameContent: Resolution | null, 
/**
 * Where only the name is.
 */
sameName: Resolution | null, };

export type BatchSummary = { 
/**
 * Which one.
 */
batch: number, 
/**
 * The watch folder that it comes from.
 */
watchFolder: string | null, 
/**
 * Its only file's title; none where there are several.
 */
title: string | null, 
/**
 * Files in it.
 */
files: number, 
/**
 * Bytes of those that S3 has.
 */
bytes: number, 
/**
 * From the first file added to the last one verified.
 */
seconds: number, 
/**
 * Files that became videos.
 */
playable: number, 
/**
 * Files that were there already.
 */
skipped: number, 
/**
 * Files that need someone.
 */
needsYou: number, 
/**
 * Files that someone canceled.
 */
canceled: number, };

export type Limits = { 
/**
 * All day, but for the hours.
 */
usual: number | null, 
/**
 * For some hours of every day.
 */
hours: Hours | null, };

export type Hours = { 
/**
 * From this minute of the day.
 */
from: number, 
/**
 * To this one; an earlier one is on the next day.
 */
to: number, 
/**
 * The limit meanwhile, in bytes a second.
 */
limit: number | null, };

export type Orphan = { 
/**
 * The key that it would have had.
 */
key: string, 
/**
 * S3's name for it.
 */
uploadId: string, 
/**
 * When it began, in milliseconds since the epoch.
 */
beganAt: number | null, 
/**
 * When its newest part came, in milliseconds since the epoch; none where it has none.
 */
activeAt: number | null, 
/**
 * Bytes of its parts.
 */
size: number, };

export type Rendition = { 
/**
 * The address of its media playlist.
 */
uri: string, 
/**
 * Peak bits a second.
 */
bandwidth: number | null, 
/**
 * Average bits a second.
 */
averageBandwidth: number | null, 
/**
 * Pixels.
 */
width: number | null, 
/**
 * Pixels.
 */
height: number | null, 
/**
 * Frames a second.
 */
frameRate: number | null, 
/**
 * RFC 6381.
 */
codecs: string | null, 
/**
 * Seconds: the sum of its segments.
 */
duration: number, 
/**
 * How many segments it has.
 */
segments: number, 
/**
 * Seconds.
 */
targetDuration: number, };

export type Stream = { 
/**
 * The address or path that was read.
 */
uri: string, 
/**
 * Seconds: the longest rendition.
 */
duration: number, 
/**
 * The ladder.
 */
renditions: Array<Rendition>, };

export type ViewerState = { "kind": "invited", 
/**
 * When the temporary password ends, in milliseconds since the epoch.
 */
expiresAt: number, } | { "kind": "invitationExpired" } | { "kind": "active" } | { "kind": "mustReset" } | { "kind": "disabled" } | { "kind": "external" } | { "kind": "unconfirmed" } | { "kind": "unknown" };

export type StateKind = "invited" | "invitationExpired" | "active" | "mustReset" | "disabled" | "external" | "unconfirmed" | "unknown";

export type Viewer = { 
/**
 * The pool's own name for the account.
 */
username: string, 
/**
 * The address; none for accounts that have none.
 */
email: string | null, 
/**
 * What the person is called.
 */
name: string | null, 
/**
 * Where the account stands.
 */
state: ViewerState, 
/**
 * When it was made, in milliseconds since the epoch.
 */
createdAt: number | null, 
/**
 * When it was last changed.
 */
modifiedAt: number | null, 
/**
 * The groups that it is in, by name.
 */
groups: Array<string>, };

export type Sort = "address" | "created" | "modified";

export type Query = { 
/**
 * Part of an address, a name or a user name; empty for all.
 */
text: string, 
/**
 * Only those in this state.
 */
state: StateKind | null, 
/**
 * Only those in this group.
 */
group: string | null, 
/**
 * By what they are sorted.
 */
sort: Sort, 
/**
 * Whether the last comes first.
 */
descending: boolean, };

export type Found = { 
/**
 * Those of the window that was asked for.
 */
viewers: Array<Viewer>, 
/**
 * How many there are in all.
 */
total: number, };

export type Group = { 
/**
 * Its name.
 */
name: string, 
/**
 * What it is for.
 */
description: string | null, 
/**
 * The ARN of the IAM role that the tokens of its members name, where it has one.
 */
role: string | null, 
/**
 * Which role a member of several groups gets: the lowest number wins.
 */
precedence: number | null, };

export type StateCount = { state: StateKind, count: number, };

export type GroupCount = { group: Group, count: number, };

export type Census = { 
/**
 * All viewers.
 */
total: number, 
/**
 * How many are in each state; states that nobody is in are left out.
 */
states: Array<StateCount>, 
/**
 * The groups, by name, and how many are in each.
 */
groups: Array<GroupCount>, 
/**
 * When all of the pool was last read, in milliseconds since the epoch; none if it never was.
 */
readAt: number | null, };

export type Reading = { 
/**
 * Accounts that were read.
 */
read: number, 
/**
 * Accounts that there are, as the pool guesses.
 */
estimated: number, };

export type PoolAttribute = { 
/**
 * Its name; the deployment's own begin with `custom:`.
 */
name: string, 
/**
 * Whether nobody can be without it.
 */
isRequired: boolean, };

export type PoolFacts = { 
/**
 * Its id.
 */
id: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Accounts in it, an estimate.
 */
estimatedUsers: number, 
/**
 * Days that an invitation is good for.
 */
validityDays: number, 
/**
 * The subject of the invitation; none for Cognito's own.
 */
invitationSubject: string | null, 
/**
 * The text of the invitation, which may be HTML; none for Cognito's own.
 */
invitationText: string | null, 
/**
 * Whether mail goes by Cognito's own sender, which is 50 a day, rather than by SES.
 */
hasSmallMailQuota: boolean, 
/**
 * How many more may go out today, as far as this computer knows; none where no quota is near.
 */
mailsLeft: number | null, 
/**
 * Who the mail comes from; none for Cognito's own address.
 */
mailFrom: string | null, 
/**
 * Whether anyone may sign up.
 */
isOpenToAll: boolean, 
/**
 * Whether the pool cannot be deleted by mistake.
 */
isProtected: boolean, 
/**
 * What people sign in with, as the pool calls it: `email`, `phone_number`, `username` and so on.
 */
signInWith: Array<string>, 
/**
 * `OFF`, `ON` or `OPTIONAL`.
 */
mfa: string, 
/**
 * The password policy in words.
 */
passwordPolicy: string, 
/**
 * The attributes that can be changed, in the pool's order.
 */
attributes: Array<PoolAttribute>, };

export type Attribute = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its value; empty where there is none.
 */
value: string, };

export type Person = { 
/**
 * As in the list.
 */
viewer: Viewer, 
/**
 * All attributes, as the pool tells them.
 */
attributes: Array<Attribute>, };

export type ViewerAction = { "kind": "resend" } | { "kind": "invite-anew" } | { "kind": "enable" } | { "kind": "disable" } | { "kind": "sign-out" } | { "kind": "reset" } | { "kind": "remove" } | { "kind": "add-to", 
/**
 * Its name.
 */
group: string, } | { "kind": "take-out", 
/**
 * Its name.
 */
group: string, } | { "kind": "edit", 
/**
 * Those that change; an empty value takes the attribute away.
 */
attributes: Array<Attribute>, };

export type Selection = { "kind": "these", 
/**
 * Their names.
 */
usernames: Array<string>, } | { "kind": "matching", 
/**
 * The query.
 */
query: Query, };

export type ActionOutcome = { "kind": "done" } | { "kind": "unchanged" } | { "kind": "failed", 
/**
 * Why.
 */
error: Error, };

export type ActionResult = { 
/**
 * The user name.
 */
username: string, 
/**
 * The address.
 */
whom: string, 
/**
 * How it ended.
 */
outcome: ActionOutcome, };

export type RunSummary = { 
/**
 * The name of the run, to undo it by.
 */
run: string, 
/**
 * All that were meant.
 */
of: number, 
/**
 * Done.
 */
done: number, 
/**
 * It was so already.
 */
unchanged: number, 
/**
 * It could not be done.
 */
failed: number, 
/**
 * Whether what was done can be undone.
 */
canBeUndone: boolean, };

export type LogEntry = { 
/**
 * Its number; later ones are higher.
 */
id: number, 
/**
 * When, in milliseconds since the epoch.
 */
at: number, 
/**
 * The ARN of who did it.
 */
who: string, 
/**
 * What was done, such as `invite` or `disable`.
 */
what: string, 
/**
 * With whom: the address, or a group's name; none where it was wiped.
 */
whom: string | null, 
/**
 * More of it, such as the name of the group.
 */
detail: string | null, 
/**
 * How it ended; none where that is not known.
 */
outcome: ActionOutcome | null, 
/**
 * The run that it belongs to: what was done at once.
 */
run: string, 
/**
 * Whether it can be undone.
 */
canBeUndone: boolean, };

export type Mail = { 
/**
 * Its number; later ones are higher.
 */
id: number, 
/**
 * Who it is to.
 */
to: string, 
/**
 * Its subject.
 */
subject: string, 
/**
 * Its text.
 */
body: string, 
/**
 * What is secret in it: the temporary password, or the code.
 */
secret: string, 
/**
 * When it was sent, in milliseconds since the epoch.
 */
sentAt: number, };

export type Watchable = { 
/**
 * Its key.
 */
guid: string, 
/**
 * What it is called.
 */
title: string, 
/**
 * Its multivariant playlist.
 */
hlsUrl: string, };

export type Step = { "kind": "newPassword" } | { "kind": "code" } | { "kind": "in", 
/**
 * Newest first.
 */
videos: Array<Watchable>, };

export type Invitee = { 
/**
 * The line of the list, from 1.
 */
line: number, 
/**
 * The address, its domain in lower-case ASCII.
 */
address: string, 
/**
 * What the person is called, if that is given.
 */
name: string | null, 
/**
 * The group to be in, if one is given.
 */
group: string | null, };

export type Problem = { 
/**
 * The line of the list, from 1.
 */
line: number, 
/**
 * What stands there.
 */
text: string, 
/**
 * What is wrong with it.
 */
reason: string, };

export type Invitees = { 
/**
 * Those that can be invited, each once.
 */
people: Array<Invitee>, 
/**
 * What cannot be.
 */
problems: Array<Problem>, };

export type Invitation = "mail" | "silent";

export type Invited = { "kind": "sent" } | { "kind": "handOver", 
/**
 * The temporary password.
 */
password: string, 
/**
 * What could not be done besides.
 */
trouble: Error | null, } | { "kind": "wasThere" } | { "kind": "failed", 
/**
 * Why.
 */
error: Error, };

export type Existing = "take" | "leave-out";

export type Afterwards = "leave" | "move" | "delete";

export type Changed = "ask" | "send" | "leave";

export type WatchFolder = { 
/**
 * Its own id.
 */
id: string, 
/**
 * The workspace that its videos go to.
 */
workspace: string, 
/**
 * The folder.
 */
path: string, 
/**
 * Whether folders in it are watched too.
 */
recursive: boolean, 
/**
 * Which files, as lines of gitignore; none means all videos.
 */
include: Array<string>, 
/**
 * Which ones not, as lines of gitignore.
 */
exclude: Array<string>, 
/**
 * Seconds that a file must be still before it is taken: 1 to 3600.
 */
settleSeconds: number, 
/**
 * What titles and tags are read from, such as `{series}/{title}.mp4`; none takes the file's name as title.
 */
naming: string | null, 
/**
 * The MediaConvert job template, where the pipeline starts on metadata files; none leaves it to the pipeline.
 */
template: string | null, 
/**
 * What becomes of files that were there before.
 */
existing: Existing, 
/**
 * What becomes of a file once its video can be watched.
 */
afterwards: Afterwards, 
/**
 * What becomes of a file that changed after it was sent.
 */
changed: Changed, 
/**
 * Whether it rests.
 */
paused: boolean, };

export type Ending = "playable" | "skipped" | "left-out" | "canceled" | "before";

export type Incomplete = { "kind": "empty" } | { "kind": "noIndex", 
/**
 * Its name.
 */
index: string, } | { "kind": "zeros", 
/**
 * Bytes before it, about.
 */
has: number, 
/**
 * Bytes of the file.
 */
size: number, } | { "kind": "cutOff", 
/**
 * Bytes that are there.
 */
has: number, 
/**
 * Bytes that it says it has, at least.
 */
wants: number, };

export type Condition = { "kind": "paused" } | { "kind": "starting" } | { "kind": "watching" } | { "kind": "polling", 
/**
 * Why, where that can be changed.
 */
why: Error | null, } | { "kind": "trouble", 
/**
 * Why.
 */
error: Error, };

export type FileState = { "kind": "stuck", 
/**
 * Its journey.
 */
journey: string, 
/**
 * Why.
 */
error: Error, } | { "kind": "unreadable", 
/**
 * Why.
 */
error: Error, } | { "kind": "incomplete", 
/**
 * What is missing.
 */
missing: Incomplete, } | { "kind": "held" } | { "kind": "growing" } | { "kind": "settling", 
/**
 * When it will have been still for long enough, in milliseconds since the epoch.
 */
until: number, } | { "kind": "settled" } | { "kind": "sending" } | { "kind": "underWay", 
/**
 * Its journey.
 */
journey: string, } | { "kind": "unseen" } | { "kind": "temporary" } | { "kind": "link" } | { "kind": "unnamed" } | { "kind": "closed" } | { "kind": "ended", 
/**
 * How.
 */
ending: Ending, 
/**
 * When it was taken, in milliseconds since the epoch.
 */
takenAt: number, };

export type WatchedFile = { 
/**
 * Relative to the folder, with `/` between its parts.
 */
path: string, 
/**
 * Bytes, once it was looked at.
 */
size: number | null, 
/**
 * How far it has come.
 */
state: FileState, };

export type WatchedFolder = { 
/**
 * Its rule.
 */
rule: WatchFolder, 
/**
 * What it is called.
 */
name: string, 
/**
 * Whether it works.
 */
condition: Condition, 
/**
 * Files that are not taken yet.
 */
waiting: number, 
/**
 * Files that were taken and have not ended.
 */
underWay: number, 
/**
 * Files that were taken since it is watched.
 */
taken: number, 
/**
 * Files that were there before, and are left out until they change.
 */
leftOut: number, 
/**
 * What concerns someone first, what ended last; at most 200.
 */
files: Array<WatchedFile>, };

export type PreviewFile = { 
/**
 * Relative to the folder.
 */
path: string, 
/**
 * The title that it would get.
 */
title: string, 
/**
 * The tags.
 */
tags: { [key in string]: string }, 
/**
 * Whether the naming fits it.
 */
fits: boolean, };

export type Preview = { 
/**
 * Videos that are there and that the rule is about.
 */
videos: number, 
/**
 * Those of them that the naming does not fit.
 */
unfit: number, 
/**
 * The first ones.
 */
files: Array<PreviewFile>, };

export type Event = { "kind": "journey", 
/**
 * All of it.
 */
journey: Journey, } | { "kind": "batchEnded", 
/**
 * How.
 */
summary: BatchSummary, } | { "kind": "catalog", 
/**
 * When, in milliseconds since the epoch.
 */
readAt: number, } | { "kind": "catalogFilling", 
/**
 * How far the first reading has come, while it goes on.
 */
filling: Filling | null, 
/**
 * Why the last reading failed.
 */
error: Error | null, } | { "kind": "edited" } | { "kind": "jobs", 
/**
 * When, in milliseconds since the epoch.
 */
readAt: number, } | { "kind": "away", 
/**
 * The file, where it was.
 */
path: string, 
/**
 * What was done.
 */
done: Afterwards, } | { "kind": "watch", 
/**
 * All of them.
 */
folders: Array<WatchedFolder>, } | { "kind": "viewers", 
/**
 * How far its reading has come, while it is read.
 */
reading: Reading | null, } | { "kind": "runEnded", 
/**
 * With whom or what.
 */
subject: RunSubject, 
/**
 * How many were meant.
 */
of: number, 
/**
 * With how many it was done, or was so already.
 */
done: number, 
/**
 * With how many it could not be done.
 */
failed: number, } | { "kind": "unreachable", 
/**
 * Why.
 */
error: Error | null, } | { "kind": "signIn", 
/**
 * What AWS said.
 */
error: Error | null, } | { "kind": "signInEnds", 
/**
 * When, and what to do.
 */
error: Error | null, } | { "kind": "limits", 
/**
 * As they are set now.
 */
limits: Limits, } | { "kind": "resync" };

export type Boot = { 
/**
 * The workspace to go to; none for the welcome screen.
 */
workspace: string | null, 
/**
 * Why the settings could not be read.
 */
trouble: Error | null, 
/**
 * Whether the sandbox is part of this program.
 */
hasSandbox: boolean, 
/**
 * Why the sandbox cannot encode, where it cannot.
 */
ffmpeg: Error | null, };

export type AtWork = { 
/**
 * Those that are open.
 */
open: Array<string>, 
/**
 * Those that have work and could not be opened, and why.
 */
failed: { [key in string]: Error }, };

export type SignInPage = { 
/**
 * The page; it has the code in it.
 */
url: string, 
/**
 * The code, to compare.
 */
code: string, };

export type How = "now" | "when-done" | "ask";

export type Drag = { "kind": "over" } | { "kind": "leave" } | { "kind": "drop", drop: number, names: Array<string>, };

export type EventBatch = { workspace: string, events: Array<Event>, };

export type HabitsShown = { habits: Habits, 
/**
 * As the system has it.
 */
startsWithSession: boolean, };

export type InviteProgress = { address: string, invited: Invited, };

export type Removed = { 
/**
 * Unfinished uploads that could not be aborted.
 */
unfinished: number, 
/**
 * Objects that may still appear: their last bytes had left.
 */
mayArrive: number, };
