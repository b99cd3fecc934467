//! Tauri's code generation. The commands of the page are those of `src/handler.rs`: one permission allows them, and nothing
//! else of the app.

use std::path::Path;
use std::{env, fs, io};

const LIST: &str = "src-tauri/app/src/handler.rs";

fn main() {
    println!("cargo::rerun-if-changed={LIST}");
    // The page is built into the program.
    println!("cargo::rerun-if-changed=ui/dist");
    let permissions = match permit() {
        Ok(permissions) => permissions,
        Err(error) => return println!("cargo::error={LIST}: {error}"),
    };
    let manifest = tauri_build::AppManifest::new().permissions_path_pattern(permissions.leak());
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/app/capabilities/**/*")
        .app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}

/// Writes the permission; answers where.
fn permit() -> io::Result<String> {
    let source = fs::read_to_string(LIST)?;
    let list = source.split_once("generate_handler![").and_then(|(_, after)| after.split_once(']'));
    let (list, _) = list.ok_or_else(|| io::Error::other("there is no list of commands"))?;
    let names = list.split(',').filter_map(|path| path.trim().rsplit("::").next()).filter(|name| !name.is_empty());
    let names = names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let folder = Path::new(&out).join("permissions");
    fs::create_dir_all(&folder)?;
    let permission = format!(
        "[[permission]]\nidentifier = \"page\"\ndescription = \"The commands of the page.\"\ncommands.allow = [{names}]\n"
    );
    fs::write(folder.join("page.toml"), permission)?;
    Ok(folder.join("*.toml").display().to_string())
}
