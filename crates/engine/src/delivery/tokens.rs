//! Addresses that phones give: looked at when they come, one phone's and its person's, gone with the phone.

use std::time::Duration;

use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::DeviceId;
use showdesk_domain::permit::Action;
use showdesk_push::Reach;
use showdesk_push::web::WebTarget;
use showdesk_store::deliveries::{Channel, phones};
use showdesk_store::push_tokens::{self, TokenRow};
use tokio::time::timeout;
use uuid::Uuid;

use super::providers::{WebSettings, environment_of, network};
use crate::api::delivery::{PushKey, TokenInput, TokenKept, WebKey};
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// Addresses of one phone; it has one for each app and page.
const TOKENS_OF_PHONE_MAX: i64 = 5;
/// Longer ones are none.
const TOKEN_CHARS_MAX: usize = 2_048;
const NAME_CHARS_MAX: usize = 255;
/// The name of a page's push service is looked up for so long. One that cannot be looked up now is looked at again
/// whenever something is sent there.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);

impl Engine {
    /// Keeps an address of the actor's phone; answers whether it is new here. An address that another phone told before
    /// is this one's from now on.
    pub async fn register_push_token(&self, actor: &Actor, input: TokenInput) -> Result<(TokenKept, bool)> {
        require(actor, Action::UseOwnDevice)?;
        if actor.device_kind != DeviceKind::Phone {
            return Err(EngineError::Forbidden("only a phone has messages pushed to it".to_owned()));
        }
        let reach = self.web_reach().await?;
        let input = checked(input, reach).await?;
        let now = self.now();
        let mut tx = self.begin_write_work().await?;
        let known = push_tokens::by_token(&mut tx, &input.token).await?;
        let id = known.as_ref().map_or_else(|| self.fresh_id(), |known| known.id);
        let row = TokenRow {
            id,
            person: actor.person,
            device: actor.device,
            token: input.token,
            platform: input.platform,
            environment: input.environment,
            fid: input.fid,
            app_id: input.app_id,
            p256dh: input.p256dh,
            auth: input.auth,
            strike_times: Vec::new(),
            disabled_at: None,
            disabled_code: None,
            created_at: now,
            registered_at: now,
            last_used: None,
        };
        push_tokens::register(&mut tx, &row).await?;
        push_tokens::keep_newest(&mut tx, actor.device, TOKENS_OF_PHONE_MAX).await?;
        let id = push_tokens::by_token(&mut tx, &row.token).await?.map_or(id, |kept| kept.id);
        self.commit_work(tx, vec![Wake::Providers]).await?;
        Ok((TokenKept { id }, known.is_none()))
    }

    /// Removes an address of the actor's phone.
    pub async fn remove_push_token(&self, actor: &Actor, id: Uuid) -> Result<()> {
        require(actor, Action::UseOwnDevice)?;
        let mut tx = self.begin_write_work().await?;
        let removed = push_tokens::remove(&mut tx, id, actor.device).await?;
        self.commit_work(tx, vec![Wake::Providers]).await?;
        if removed { Ok(()) } else { Err(EngineError::NotFound("the address")) }
    }

    /// What a page needs to subscribe.
    pub async fn push_key_for(&self, actor: &Actor) -> Result<PushKey> {
        require(actor, Action::UseOwnDevice)?;
        Ok(PushKey { web: self.push_key().await?.map(|public_key| WebKey { public_key }) })
    }

    /// Nothing more is sent to a removed phone, and nothing waits for it. What is claimed already is looked at again
    /// before it is sent.
    pub(crate) async fn disable_tokens_of(&self, device: DeviceId) -> Result<()> {
        let now = self.now();
        let mut tx = self.begin_write_work().await?;
        push_tokens::disable_of_device(&mut tx, device, "removed", now).await?;
        phones::look_again_at(&mut tx, device, now).await?;
        self.commit_work(tx, vec![Wake::Providers, Wake::Messages]).await
    }

    /// Whom pages' addresses may lead to: this machine only while a stand-in on it is set up.
    async fn web_reach(&self) -> Result<Reach> {
        let settings: Option<WebSettings> = self.settings_of(Channel::Web).await?;
        Ok(network(settings.and_then(|settings| settings.endpoint).as_ref()).reach())
    }
}

async fn checked(input: TokenInput, reach: Reach) -> Result<TokenInput> {
    let TokenInput { platform, token, environment, fid, app_id, p256dh, auth } = input;
    if !matches!(platform.as_str(), "ios" | "android" | "web") {
        return Err(invalid("platform", "it is ios, android or web"));
    }
    let plain = |text: &str, most: usize| {
        !text.is_empty() && text.chars().count() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if !plain(&token, TOKEN_CHARS_MAX) {
        return Err(invalid("token", "this is no address of a phone"));
    }
    if environment.as_deref().is_some_and(|word| environment_of(word).is_none()) {
        return Err(invalid("environment", "it is production or sandbox"));
    }
    if [&fid, &app_id].into_iter().flatten().any(|text| !plain(text, NAME_CHARS_MAX)) {
        return Err(invalid("fid", "this is no name of an app on a phone"));
    }
    if platform == "ios" && fid.is_none() && !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid("token", "an iPhone's address has only the digits 0 to 9 and the letters a to f"));
    }
    if platform != "web" {
        return Ok(TokenInput { platform, token, environment, fid, app_id, p256dh: None, auth: None });
    }
    let (Some(key), Some(secret)) = (p256dh, auth) else {
        return Err(invalid("p256dh", "a page's address needs p256dh and auth"));
    };
    let target =
        WebTarget::parse(&token, &key, &secret, reach).map_err(|error| invalid("token", &error.to_string()))?;
    match timeout(LOOK_UP_TIME, target.look_up(reach)).await {
        Ok(Err(error)) => Err(invalid("token", &error.to_string())),
        Ok(Ok(())) | Err(_) => Ok(TokenInput {
            platform,
            token,
            environment: None,
            fid: None,
            app_id: None,
            p256dh: Some(key),
            auth: Some(secret),
        }),
    }
}

fn invalid(field: &str, detail: &str) -> EngineError {
    let fields = [(field.to_owned(), detail.to_owned())].into();
    EngineError::Invalid { code: "invalid_push_token", detail: detail.to_owned(), fields }
}
