//! Makes the folders of the built pages exist, so that the crate compiles without Node, and is run again when they change.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    for app in ["phone", "desk"] {
        let folder = Path::new("../../ui/apps").join(app).join("dist");
        // Cargo takes a missing path for changed and would build the crate each time.
        std::fs::create_dir_all(&folder)?;
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    Ok(())
}
