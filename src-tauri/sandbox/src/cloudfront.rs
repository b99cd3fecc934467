//! CloudFront: the one distribution that shows the destination bucket, and its invalidations. The CDN of the sandbox keeps no
//! copies, so an invalidation changes nothing; what CloudFront refuses is refused.
//! Source: Amazon CloudFront API Reference, `ListDistributions`, `CreateInvalidation`, `ListInvalidations`; Developer Guide, "Quotas".

use std::sync::{Arc, Mutex, PoisonError};

use ::time::{Duration, OffsetDateTime};
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

use crate::ACCOUNT;
use crate::query::{refuse, respond};
use crate::time::{format_time, utc};

/// Where its paths begin.
pub(crate) const VERSION: &str = "/2020-05-31/";
const DISTRIBUTION: &str = "E1SANDBOX";
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
/// How long an invalidation takes.
const TAKES: Duration = Duration::seconds(30);
/// Invalidations with a wildcard that may be in progress at once.
const MOST_WILDCARDS: usize = 15;

type Refusal = (StatusCode, &'static str, String);

/// What was invalidated since the start; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct CloudFront(Arc<Mutex<Vec<Invalidation>>>);

#[derive(Clone)]
struct Invalidation {
    id: String,
    at: OffsetDateTime,
    reference: String,
    paths: Vec<String>,
}

impl CloudFront {
    /// Answers one request; `domain` is that of the CDN.
    pub fn answer(&self, domain: &str, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
        let parts: Vec<_> = path.trim_start_matches(VERSION).split('/').collect();
        let answered = match (method, &parts[..]) {
            (&Method::GET, ["distribution"]) => Ok((StatusCode::OK, distributions(domain))),
            (_, ["distribution", id, ..]) if *id != DISTRIBUTION => {
                let message = "The specified distribution does not exist.".to_owned();
                Err((StatusCode::NOT_FOUND, "NoSuchDistribution", message))
            }
            (&Method::POST, ["distribution", _, "invalidation"]) => {
                self.create(body).map(|made| (StatusCode::CREATED, made.xml()))
            }
            (&Method::GET, ["distribution", _, "invalidation"]) => Ok((StatusCode::OK, self.list())),
            (&Method::GET, ["distribution", _, "invalidation", id]) => {
                self.find(id).map(|found| (StatusCode::OK, found))
            }
            _ => Err((StatusCode::BAD_REQUEST, "InvalidAction", "The sandbox does not know this request.".to_owned())),
        };
        match answered {
            Ok((status, xml)) => respond(status, &xml),
            Err((status, code, message)) => refuse(status, code, &message),
        }
    }

    fn create(&self, body: &[u8]) -> Result<Invalidation, Refusal> {
        let bad = |code, message: &str| (StatusCode::BAD_REQUEST, code, message.to_owned());
        let Batch { reference, paths, quantity } =
            Batch::read(body).ok_or_else(|| bad("MalformedInput", "The XML is not well-formed."))?;
        if reference.is_empty() {
            return Err(bad("MissingBody", "The caller reference is missing."));
        }
        if quantity != Some(paths.len()) {
            return Err(bad("InconsistentQuantities", "The value of Quantity and the size of Items don't match."));
        }
        if paths.is_empty() || paths.iter().any(|path| !is_path(path)) {
            return Err(bad("InvalidArgument", "Your request contains one or more invalid invalidation paths."));
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = all.iter().find(|one| one.reference == reference) {
            return match same.paths == paths {
                true => Ok(same.clone()),
                false => Err(bad("InvalidationBatchAlreadyExists", "The caller reference was used for other paths.")),
            };
        }
        let wildcards = |paths: &[String]| paths.iter().filter(|path| path.ends_with('*')).count();
        let running: usize = all.iter().filter(|one| one.is_running()).map(|one| wildcards(&one.paths)).sum();
        if running + wildcards(&paths) > MOST_WILDCARDS && wildcards(&paths) > 0 {
            let message = "Your request would exceed the maximum number of wildcard invalidations in progress.";
            return Err(bad("TooManyInvalidationsInProgress", message));
        }
        let id = format!("I{}", uuid::Uuid::new_v4().simple().to_string().to_uppercase());
        let made = Invalidation { id, at: utc(), reference, paths };
        all.push(made.clone());
        Ok(made)
    }

    fn find(&self, id: &str) -> Result<String, Refusal> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|one| one.id == id).map(Invalidation::xml);
        let message = "The specified invalidation does not exist.".to_owned();
        found.ok_or((StatusCode::NOT_FOUND, "NoSuchInvalidation", message))
    }

    fn list(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = |one: &Invalidation| {
            format!(
                "<InvalidationSummary><Id>{}</Id><CreateTime>{}</CreateTime><Status>{}</Status></InvalidationSummary>",
                one.id,
                format_time(one.at),
                one.status()
            )
        };
        let items: String = all.iter().rev().map(summary).collect();
        format!(
            "<InvalidationList xmlns=\"{NAMESPACE}\"><Marker></Marker><MaxItems>100</MaxItems>\
             <IsTruncated>false</IsTruncated><Quantity>{}</Quantity><Items>{items}</Items></InvalidationList>",
            all.len()
        )
    }
}

impl Invalidation {
    fn is_running(&self) -> bool {
        utc() - self.at < TAKES
    }

    fn status(&self) -> &'static str {
        if self.is_running() { "InProgress" } else { "Completed" }
    }

    fn xml(&self) -> String {
        let paths: String = self.paths.iter().map(|path| format!("<Path>{}</Path>", escape(path.as_str()))).collect();
        format!(
            "<Invalidation xmlns=\"{NAMESPACE}\"><Id>{}</Id><Status>{}</Status><CreateTime>{}</CreateTime>\
             <InvalidationBatch><Paths><Quantity>{}</Quantity><Items>{paths}</Items></Paths>\
             <CallerReference>{}</CallerReference></InvalidationBatch></Invalidation>",
            self.id,
            self.status(),
            format_time(self.at),
            self.paths.len(),
            escape(self.reference.as_str())
        )
    }
}

/// Whether it may be invalidated: it begins with a slash, and an asterisk stands at its end only.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.trim_end_matches('*').contains('*') && !path.ends_with("**")
}

fn distributions(domain: &str) -> String {
    format!(
        "<DistributionList xmlns=\"{NAMESPACE}\"><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated>\
         <Quantity>1</Quantity><Items><DistributionSummary><Id>{DISTRIBUTION}</Id>\
         <ARN>arn:aws:cloudfront::{ACCOUNT}:distribution/{DISTRIBUTION}</ARN><Status>Deployed</Status>\
         <LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime><DomainName>{}</DomainName>\
         <Aliases><Quantity>0</Quantity></Aliases><Comment></Comment><Enabled>true</Enabled></DistributionSummary></Items>\
         </DistributionList>",
        escape(domain)
    )
}

/// What is asked to be invalidated.
#[derive(Default)]
struct Batch {
    reference: String,
    paths: Vec<String>,
    quantity: Option<usize>,
}

impl Batch {
    fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
        let (mut batch, mut depth, mut text) = (Self::default(), 0_usize, String::new());
        loop {
            match reader.read_event().ok()? {
                Event::Start(_) => {
                    depth += 1;
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part.decode().ok()?),
                Event::GeneralRef(name) => text.push_str(resolve_predefined_entity(&name.decode().ok()?)?),
                Event::End(end) => {
                    depth = depth.checked_sub(1)?;
                    match end.local_name().as_ref() {
                        b"CallerReference" => batch.reference = std::mem::take(&mut text),
                        b"Path" => batch.paths.push(std::mem::take(&mut text)),
                        b"Quantity" => batch.quantity = text.trim().parse().ok(),
                        _ => {}
                    }
                }
                Event::Eof => return (depth == 0).then_some(batch),
                _ => {}
            }
        }
    }
}
