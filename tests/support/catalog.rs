//! A catalog of any size with items as three generations of the pipeline wrote them, in ten languages: the same for the same
//! number.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use fastrand::Rng;

/// Words of titles, by language: English, German, French, Spanish, Portuguese, Turkish, Polish, Russian, Japanese, Thai.
const WORDS: [&str; 10] = [
    "the of and night river house city last first return great story summer winter lost garden king daughter war dream light \
     shadow island secret road ocean stone letter train mountain",
    "der die das und nacht fluss haus stadt letzte erste rückkehr große geschichte sommer winter verlorene garten könig tochter \
     krieg traum licht schatten insel geheimnis straße meer stein brief zug berg über mädchen",
    "le la les et nuit rivière maison ville dernière première retour grand histoire été hiver perdu jardin roi fille guerre rêve \
     lumière ombre île secret route océan pierre lettre épisode forêt",
    "el la los y noche río casa ciudad última primera regreso gran historia verano invierno perdido jardín rey hija guerra sueño \
     luz sombra isla secreto camino océano piedra carta montaña niño",
    "o a os e noite rio casa cidade última primeira retorno grande história verão inverno perdido jardim rei filha guerra sonho \
     luz sombra ilha segredo estrada oceano pedra carta coração irmão",
    "ve gece nehir ev şehir son ilk dönüş büyük hikâye yaz kış kayıp bahçe kral kız savaş rüya ışık gölge ada sır yol okyanus \
     taş mektup tren dağ çocuk güneş",
    "i noc rzeka dom miasto ostatni pierwszy powrót wielka historia lato zima zagubiony ogród król córka wojna sen światło cień \
     wyspa sekret droga ocean kamień list pociąg góra święto żona",
    "и ночь река дом город последний первый возвращение большой история лето зима потерянный сад король дочь война сон свет тень \
     остров тайна дорога океан камень письмо поезд гора",
    "東京物語 夜の川 家族の肖像 最後の夏 失われた庭 王の娘 戦争と夢 光と影 秘密の島 海への道 石の手紙 山の列車 春の雨 映画 第一話",
    "คืนสุดท้าย แม่น้ำ บ้านและเมือง เรื่องราว ฤดูร้อน สวนที่หายไป ลูกสาวของกษัตริย์ สงครามและความฝัน แสงและเงา เกาะลับ ถนนสู่ทะเล จดหมาย ภูเขา",
];
const SYLLABLES: [&str; 24] = [
    "ba", "cor", "di", "fel", "gu", "han", "jo", "ki", "lun", "mer", "no", "pas", "ri", "sol", "ta", "ver", "wil",
    "zen", "mar", "el", "an", "sto", "qui", "bre",
];
const GENRES: [&str; 12] = [
    "Drama",
    "Comedy",
    "Documentary",
    "Sports",
    "News",
    "Kids",
    "Music",
    "Education",
    "Nature",
    "Trailer",
    "Interview",
    "Corporate",
];
/// The first of them began on 2016-01-01; one about each five minutes.
const FIRST_MS: i64 = 1_451_606_400_000;
const APART_MS: i64 = 300_000;

/// An invented name, the frequent ones more often.
fn name(rng: &mut Rng) -> String {
    let rank = (rng.f64() * rng.f64() * 20_000.0) as u64;
    let mut of = Rng::with_seed(rank);
    let mut name: String = (0..of.usize(2..4)).map(|_| SYLLABLES[of.usize(0..SYLLABLES.len())]).collect();
    name[..1].make_ascii_uppercase();
    name
}

fn title(rng: &mut Rng, number: u64) -> String {
    let words: Vec<&str> = WORDS[(number % 10) as usize].split_whitespace().collect();
    let mut title = String::new();
    for _ in 0..rng.usize(2..5) {
        title += words[rng.usize(0..words.len())];
        title.push(' ');
    }
    title += &name(rng);
    if rng.bool() {
        title += &format!(" S{:02}E{:02}", rng.u8(1..12), rng.u8(1..25));
    }
    let first = title.chars().next().map_or(0, char::len_utf8);
    title[..first].to_uppercase() + &title[first..]
}

/// A time as this generation writes it.
fn time(ms: i64, is_old: bool) -> String {
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) / 1000);
    // Howard Hinnant's civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    if is_old {
        return format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}.{second}");
    }
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

/// The item of this number.
#[must_use]
pub fn item(number: u64) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut rng = Rng::with_seed(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let guid = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        rng.u32(..),
        rng.u16(..),
        rng.u16(..4096),
        rng.u16(..4096),
        number
    );
    let began = FIRST_MS + i64::try_from(number).unwrap_or(0) * APART_MS + rng.i64(0..APART_MS);
    let seconds = rng.u32(5..7200);
    let (width, height) =
        [(1280, 720), (1920, 1080), (1920, 1080), (3840, 2160), (1080, 1920), (640, 360)][rng.usize(0..6)];
    let is_old = number % 10 < 2;
    let title = title(&mut rng, number);
    let file = title.replace(' ', "_") + [".mp4", ".mov", "_final_v2.mxf"][rng.usize(0..3)];
    let cdn = format!("https://d111111abcdef8.cloudfront.net/{guid}");
    let mut item: HashMap<String, AttributeValue> = [
        ("guid", text(&guid)),
        ("startTime", text(&time(began, is_old))),
        ("workflowName", text(if number.is_multiple_of(7) { "vod-archive" } else { "vod" })),
        ("workflowTrigger", text("Video")),
        ("srcBucket", text("vod-source")),
        ("srcVideo", text(&format!("{guid}/{file}"))),
        ("srcHeight", AttributeValue::N(height.to_string())),
        ("srcWidth", AttributeValue::N(width.to_string())),
        ("jobTemplate", text(&format!("vod_Ott_{}p_Avc_Aac_16x9_qvbr_no_preset", height.min(2160)))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let info = serde_json::json!({
        "container": { "format": "MPEG-4", "duration": seconds },
        "video": [{ "codec": "AVC", "width": width, "height": height, "duration": seconds, "framerate": 25.0,
                    "frameCount": seconds * 25, "colorSpace": if number % 20 == 3 { "HLG YUV 4:2:0" } else { "YUV 4:2:0" } }],
        "text": if number.is_multiple_of(5) { serde_json::json!([{ "format": "EIA-608" }]) } else { serde_json::json!([]) },
    });
    item.insert("srcMediainfo".to_owned(), text(&info.to_string()));
    item.insert(if is_old { "ecodeJobId" } else { "encodeJobId" }.to_owned(), text(&format!("{began}-a{number:05x}")));
    match number % 100 {
        41 => {
            item.insert("workflowStatus".to_owned(), text("Error"));
            item.insert("workflowErrorAt".to_owned(), text("Encoding"));
            item.insert("errorMessage".to_owned(), text("The input could not be decoded."));
        }
        // A few that nothing ends any more.
        42 if number % 1000 == 42 => drop(item.insert("workflowStatus".to_owned(), text("Ingest"))),
        _ => {
            item.insert("workflowStatus".to_owned(), text("Complete"));
            item.insert(if is_old { "EndTime" } else { "endTime" }.to_owned(), text(&time(began + 90_000, is_old)));
            item.insert("hlsUrl".to_owned(), text(&format!("{cdn}/hls/movie.m3u8")));
            let picture = AttributeValue::L(vec![text(&format!("{cdn}/thumbnails/movie_thumb.0000004.jpg"))]);
            item.insert("thumbNailsUrls".to_owned(), picture);
        }
    }
    if number % 10 >= 5 {
        let about: Vec<String> = (0..rng.usize(4..12)).map(|_| name(&mut rng)).collect();
        let tags = [("genre", GENRES[rng.usize(0..GENRES.len())].to_owned()), ("season", rng.u8(1..12).to_string())];
        let tags = tags.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect();
        let own = HashMap::from([
            ("title".to_owned(), text(&title)),
            ("description".to_owned(), text(&about.join(" "))),
            ("tags".to_owned(), AttributeValue::M(tags)),
        ]);
        item.insert("reeldesk".to_owned(), AttributeValue::M(own));
    }
    item
}

/// The item of this number, with its source in this bucket.
#[must_use]
pub fn item_in(bucket: &str, number: u64) -> HashMap<String, AttributeValue> {
    let mut item = item(number);
    item.insert("srcBucket".to_owned(), AttributeValue::S(bucket.to_owned()));
    item
}

/// Writes items into a table.
///
/// # Panics
/// When it does not take them.
pub async fn write(client: &Client, table: &str, items: impl Iterator<Item = HashMap<String, AttributeValue>>) {
    let mut requests: Vec<_> = items
        .map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    while !requests.is_empty() {
        let some = requests.split_off(requests.len().saturating_sub(25));
        let answer = client.batch_write_item().request_items(table, some).send().await.unwrap();
        requests.extend(answer.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left));
    }
}

/// Gives the item of a number another title, as another admin would.
///
/// # Panics
/// When the table does not take it.
pub async fn rename(client: &Client, table: &str, number: u64, title: &str) {
    let update = client.update_item().table_name(table).key("guid", item(number)["guid"].clone());
    let update = update.update_expression("SET #own = :own").expression_attribute_names("#own", "reeldesk");
    let own = HashMap::from([("title".to_owned(), AttributeValue::S(title.to_owned()))]);
    update.expression_attribute_values(":own", AttributeValue::M(own)).send().await.unwrap();
}
