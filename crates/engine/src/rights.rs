//! Where use cases ask whether somebody may do what is wanted: the rules stand in [`showdesk_domain::permit`].

use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::Conflict;
use showdesk_domain::permit::{Action, Resource, authorize};

use crate::{EngineError, Result};

/// Goes on if the actor may do that with the show.
pub(crate) fn require(actor: &Actor, action: Action) -> Result<()> {
    authorize(actor, action, &Resource::Show).map_err(|rejection| EngineError::Forbidden(rejection.detail))
}

/// Whether the actor may do that with the clash.
pub(crate) fn may_with_clash(actor: &Actor, action: Action, clash: &Conflict) -> bool {
    let resource = Resource::Clash { device: clash.device_id, server_person: clash.server_user_id };
    authorize(actor, action, &resource).is_ok()
}
