//! How many phones are here and what they still hold, for the tray and for the question before closing.

use showdesk_server::engine::api::devices::DeviceView;
use showdesk_server::engine::{Engine, EngineError};

/// The phones of one moment; removed ones are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PhonesNow {
    /// Phones that were heard of a moment ago.
    pub(crate) connected: i64,
    /// Phones that told us of entries they have not sent yet.
    pub(crate) holding: i64,
    /// How many entries these are.
    pub(crate) unsent: i64,
}

/// Where the counts come from.
pub(crate) struct Phones {
    engine: Engine,
}

impl Phones {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Counts the phones now.
    pub(crate) async fn now(&self) -> Result<PhonesNow, EngineError> {
        let devices = self.engine.devices(&self.engine.desk_actor().await?).await?;
        Ok(count(&devices.items))
    }
}

fn count(devices: &[DeviceView]) -> PhonesNow {
    let phones = devices.iter().filter(|device| device.kind == "phone" && device.revoked_at.is_none());
    phones.fold(PhonesNow::default(), |sum, phone| PhonesNow {
        connected: sum.connected + i64::from(phone.connected),
        holding: sum.holding + i64::from(phone.unsent > 0),
        unsent: sum.unsent + phone.unsent,
    })
}
