//! HTTP: listeners, routes, auth, OpenAPI, streams, embedded pages.
//!
//! Start one desk with [`Server::start`]; the headless program and the desktop shell are both thin
//! callers of it. Requests are read and limited here and decided in the engine: this crate holds no
//! rule of a show and no SQL.

mod accept;
mod app;
mod auth;
mod bodies;
mod body;
pub mod config;
#[cfg(test)]
#[path = "../../../fuzz/checks/corpus.rs"]
mod corpus;
mod csv;
mod desk_link;
mod error;
mod etag;
mod gate;
mod guard;
mod handlers;
mod joining;
mod last_event;
mod limiter;
mod live;
mod network;
mod open_files;
mod openapi;
mod packed;
mod pages;
mod places;
mod readers;
mod recording;
pub mod rehearse;
mod routes;
mod scan;
mod server;
mod token_file;
pub mod witness;

pub use config::ServerOptions;
pub use openapi::document as openapi_document;
pub use server::{RunningServer, Server, StartError};
pub use showdesk_engine as engine;
