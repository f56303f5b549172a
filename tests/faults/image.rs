//! Disks that can be small, and that can be copied at an instant: ext4 images on loop devices.
//!
//! A copy of the image file holds what has reached the disk and nothing that still waits in the system's memory: it is
//! the disk after a power cut. The image lies on an XFS, whose reflinks copy a file at one instant while writes to it
//! wait; a plain copy would take blocks from different moments, which no power cut does.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::shell::{run, try_run};

/// Room for images and what their copies do not share; nothing of it is taken before it is written.
const BASE_MIB: u64 = 4 * 1024;

/// A mounted file system, unmounted with its handle.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: PathBuf,
}

impl Mount {
    fn image(image: &Path, folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).expect("a folder to mount at");
        run("mount", &["-o", "loop", shown(image), shown(&folder)]);
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A program of a failed case may still be ending; a lazy unmount goes through when it has.
        if !try_run("umount", &[shown(&self.folder)]) {
            run("umount", &["--lazy", shown(&self.folder)]);
        }
    }
}

/// A small disk.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    mount: Mount,
    _folder: TempDir,
}

impl SmallDisk {
    pub(crate) fn new(mib: u64) -> Self {
        let folder = scratch();
        let image = make(folder.path().join("small.img"), mib, &["mkfs.ext4", "-q", "-F"]);
        Self { mount: Mount::image(&image, folder.path().join("small")), _folder: folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.mount.folder()
    }
}

/// A disk whose power can be cut. The fields are dropped from the inside out.
#[derive(Debug)]
pub(crate) struct Disk {
    mount: Mount,
    image: PathBuf,
    base: Mount,
    _folder: TempDir,
}

impl Disk {
    pub(crate) fn new(mib: u64) -> Self {
        let folder = scratch();
        let base = make(folder.path().join("base.img"), BASE_MIB, &["mkfs.xfs", "-q", "-m", "reflink=1"]);
        let base = Mount::image(&base, folder.path().join("base"));
        let image = make(base.folder().join("disk.img"), mib, &["mkfs.ext4", "-q", "-F"]);
        let mount = Mount::image(&image, folder.path().join("disk"));
        Self { mount, image, base, _folder: folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.mount.folder()
    }

    /// Brings everything to the disk, which a power cut does not.
    pub(crate) fn sync(&self) {
        run("sync", &["--file-system", shown(self.folder())]);
    }

    /// The disk as it would be found if the power went now.
    pub(crate) fn cut(&self) -> Cut {
        let image = self.base.folder().join("cut.img");
        run("cp", &["--reflink=always", shown(&self.image), shown(&image)]);
        let folder = self.base.folder().join("cut");
        Cut { mount: Mount::image(&image, folder), image }
    }
}

/// A disk after a power cut.
#[derive(Debug)]
pub(crate) struct Cut {
    mount: Mount,
    image: PathBuf,
}

impl Cut {
    pub(crate) fn folder(&self) -> &Path {
        self.mount.folder()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        // The next cut takes its place. A file that cannot be removed is overwritten.
        let _ = fs::remove_file(&self.image);
    }
}

fn make(image: PathBuf, mib: u64, mkfs: &[&str]) -> PathBuf {
    let file = File::create(&image).expect("an image");
    file.set_len(mib * 1024 * 1024).expect("its size");
    let (tool, words) = mkfs.split_first().expect("a tool");
    run(tool, &[words, &[shown(&image)]].concat());
    image
}

/// In memory where there is some: what counts is what leaves the mounted file system, not where it goes.
/// Other users may walk through: a Postgres keeps its data in it.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    let folder = folder.expect("a folder for images");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("its rights");
    folder
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("paths of ours are text")
}
