//! The scheduler with builds and a runner that are made up: what runs when, what is written down, what is told.

mod fixture;
mod made_up_runner;
mod recording;
mod scheduling;
