//! Messages: what a phone reads and confirms, what the desk writes, schedules and follows.

mod asked;
mod followed;
mod phone;
mod settings;

pub use asked::{AskPreview, AskReach, AudienceInput, BeforeClass, Ends, NewMessage, RawText};
pub use followed::{
    Counts, DeliveryView, MessageDetail, MessageItem, MessagePage, Preview, Reach, ReachPart, ReachParts, Reminded,
    SentMessage,
};
pub use phone::{Ack, AckState, Acked, MissedNotice, Notice, NoticePage};
pub use settings::{
    AutomaticInput, AutomaticItem, AutomaticView, QuietHours, Template, TemplateInput, TemplateList, WeighInCloses,
};
