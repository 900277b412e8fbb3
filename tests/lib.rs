//! What the end-to-end tests share: how to build and run the command, and how to read its report.
