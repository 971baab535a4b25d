//! The clients of the cloud service whose API the server speaks, unmodified: they are given another endpoint, nothing else.

mod cli;
mod consumer;
mod node;
mod producer;
mod sdk;
