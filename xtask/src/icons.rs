//! `cargo xtask icons`: renders our one drawing to the files that the bundles need.
//!
//! The files are in git, so that building needs no renderer. An `.ico` and an `.icns` are lists of PNG files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::{command, run as run_command};
use crate::{root, system};

/// PNG files by name and edge, pixels.
const PNG: [(&str, u32); 4] = [("32x32.png", 32), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)];

/// What phones put on their Home Screens: name, drawing and edge. Those that cut the corners themselves get a full ground.
const PHONE: [(&str, &str, u32); 4] = [
    ("192.png", DRAWING, 192),
    ("512.png", DRAWING, 512),
    ("apple-touch-icon.png", FULL_DRAWING, 180),
    ("maskable-512.png", FULL_DRAWING, 512),
];

const DRAWING: &str = "showdesk.svg";
const FULL_DRAWING: &str = "showdesk-full.svg";

/// Edges inside `icon.ico`, pixels; 256 is written as 0.
const ICO: [u32; 5] = [16, 32, 48, 64, 256];

/// Types and edges inside `icon.icns`, pixels.
const ICNS: [(&[u8; 4], u32); 4] = [(b"ic07", 128), (b"ic08", 256), (b"ic09", 512), (b"ic10", 1024)];

/// Renders all files.
pub(crate) fn run() -> Result<()> {
    system::install(system::TO_DRAW)?;
    let folder = root().join("icons");
    for (name, edge) in PNG {
        fs::write(folder.join(name), render(&folder, DRAWING, edge)?).with_context(|| format!("icons/{name}"))?;
    }
    let phone = root().join("ui/apps/phone/public/icons");
    for (name, drawing, edge) in PHONE {
        fs::write(phone.join(name), render(&folder, drawing, edge)?).with_context(|| format!("the phone's {name}"))?;
    }
    let sizes = ICO.iter().map(|edge| Ok((*edge, render(&folder, DRAWING, *edge)?))).collect::<Result<Vec<_>>>()?;
    fs::write(folder.join("icon.ico"), ico(&sizes)?).context("icons/icon.ico")?;
    let sizes =
        ICNS.iter().map(|(kind, edge)| Ok((*kind, render(&folder, DRAWING, *edge)?))).collect::<Result<Vec<_>>>()?;
    fs::write(folder.join("icon.icns"), icns(&sizes)?).context("icons/icon.icns")
}

fn render(folder: &Path, drawing: &str, edge: u32) -> Result<Vec<u8>> {
    let made = folder.join(".rendered.png");
    let edge = edge.to_string();
    let words = ["--width", &edge, "--height", &edge, drawing, "--output", ".rendered.png"];
    run_command(command("rsvg-convert", folder).args(words))?;
    let bytes = fs::read(&made).context("what rsvg-convert wrote")?;
    fs::remove_file(&made).context("what rsvg-convert wrote")?;
    Ok(bytes)
}

/// A directory of entries, then the PNG files they point to.
fn ico(sizes: &[(u32, Vec<u8>)]) -> Result<Vec<u8>> {
    const HEADER: usize = 6;
    const ENTRY: usize = 16;
    let count = u16::try_from(sizes.len())?;
    let mut file = [0u16, 1, count].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut at = HEADER + ENTRY * sizes.len();
    for (edge, png) in sizes {
        // One byte an edge: 256 does not fit and is written as 0.
        let edge = u8::try_from(*edge).unwrap_or(0);
        file.extend([edge, edge, 0, 0]);
        file.extend([1u16, 32].iter().flat_map(|word| word.to_le_bytes()));
        file.extend(u32::try_from(png.len())?.to_le_bytes());
        file.extend(u32::try_from(at)?.to_le_bytes());
        at += png.len();
    }
    file.extend(sizes.iter().flat_map(|(_, png)| png));
    Ok(file)
}

/// A magic word and the whole length, then each PNG behind its type and length.
fn icns(sizes: &[(&[u8; 4], Vec<u8>)]) -> Result<Vec<u8>> {
    const HEADER: usize = 8;
    let whole = HEADER + sizes.iter().map(|(_, png)| HEADER + png.len()).sum::<usize>();
    let mut file = b"icns".to_vec();
    file.extend(u32::try_from(whole)?.to_be_bytes());
    for (kind, png) in sizes {
        file.extend(*kind);
        file.extend(u32::try_from(HEADER + png.len())?.to_be_bytes());
        file.extend(png);
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ico_points_to_its_pictures() {
        let file = ico(&[(16, vec![7; 3]), (256, vec![9; 2])]).unwrap();
        assert_eq!(file[..6], [0, 0, 1, 0, 2, 0]);
        assert_eq!(file[6], 16);
        assert_eq!(file[22], 0, "256 is written as 0");
        let second = u32::from_le_bytes(file[34..38].try_into().unwrap()) as usize;
        assert_eq!(file[second..], [9, 9]);
    }

    #[test]
    fn an_icns_says_its_own_length() {
        let file = icns(&[(b"ic07", vec![7; 3])]).unwrap();
        assert_eq!(file[..8], [b'i', b'c', b'n', b's', 0, 0, 0, 19]);
        assert_eq!(file.len(), 19);
    }
}
