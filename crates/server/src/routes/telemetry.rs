//! What phones tell of themselves: how long things took there, and what went wrong.

use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use showdesk_engine::api::errors::ErrorReport;
use showdesk_engine::api::telemetry::{PhoneFigure, Told};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::Caller;
use crate::body::{Class, Input, Read};
use crate::error::Problem;

/// Problems that one request tells.
const ERRORS_MAX: usize = 100;

/// What a phone tells: a list of at most 100. One thing alone need not be in a list.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Telling {
    /// How long things took.
    #[serde(deserialize_with = "one_or_many")]
    Performance(Vec<PhoneFigure>),
    /// What went wrong.
    #[serde(deserialize_with = "one_or_many")]
    Error(Vec<ErrorReport>),
}

impl Input for Telling {
    const CLASS: Class = Class::Telemetry;
}

fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Either<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or a list of objects")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = list.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_any(Either(PhantomData))
}

/// Takes in what a phone measured and what went wrong there. Nothing is answered about what becomes of it: what is too
/// much, or cannot be kept for the moment, is dropped and counted. The person is the one of the token.
#[utoipa::path(
    post, path = "/api/v1/telemetry", tag = "sync", security(("token" = [])), request_body = Telling,
    responses((status = 202, body = Told)),
)]
pub(crate) async fn tell(
    State(app): State<App>,
    caller: Caller,
    Read { input, .. }: Read<Telling>,
) -> Result<(StatusCode, Json<Told>), Problem> {
    let taken = match input {
        Telling::Performance(figures) => app.engine().take_figures(&caller.actor, figures)?,
        Telling::Error(errors) if errors.len() > ERRORS_MAX => {
            return Err(Problem::too_many_told(ERRORS_MAX));
        }
        Telling::Error(errors) => {
            let count = errors.len();
            app.engine().take_errors(&caller.actor, errors).await;
            count
        }
    };
    Ok((StatusCode::ACCEPTED, Json(Told { taken })))
}
