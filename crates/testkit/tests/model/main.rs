//! What holds of every history: the seeded simulator with its controls, a model of one table, recorded histories.

mod controls;
mod linearizable;
mod machine;
mod seeds;
mod show;
