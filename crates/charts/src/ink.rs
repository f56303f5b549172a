//! Colours by what they mean.

use plotters::style::RGBColor;

/// What a colour is for. Each has a CSS variable of the desk's page and a colour of its own for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The page behind.
    Background,
    /// Where nothing was measured.
    Surface,
    /// Titles.
    Ink,
    /// All other words.
    Quiet,
    /// Event markers, and yesterday.
    Line,
    /// The grid.
    Hairline,
    /// The middle answer.
    P50,
    /// The slow 5 %.
    P95,
    /// The slow 1 %.
    P99,
    /// What failed or was refused.
    Failed,
    /// What went well.
    Good,
    /// What was saved as it came.
    Saved,
    /// What was joined.
    Joined,
    /// What needs somebody's look.
    Look,
    /// What phones hold.
    Phone,
    /// What the laptop does.
    Desk,
    /// What waits and is no trouble.
    Away,
    /// Words on a full colour, in both themes.
    OnColour,
}

/// Role, CSS variable, and its colour in light and dark files.
const COLOURS: [(Role, &str, &str, &str); 18] = [
    (Role::Background, "--bg", "#ffffff", "#12130f"),
    (Role::Surface, "--surface", "#f6f5f1", "#1b1d18"),
    (Role::Ink, "--ink", "#16150f", "#f4f3ee"),
    (Role::Quiet, "--ink-2", "#45423a", "#c6c4b9"),
    (Role::Line, "--line", "#8a8577", "#7d8272"),
    (Role::Hairline, "--hairline", "#dcd9cf", "#2d3029"),
    (Role::P50, "--p50", "#2563eb", "#60a5fa"),
    (Role::P95, "--p95", "#d97706", "#fbbf24"),
    (Role::P99, "--p99", "#9333ea", "#c084fc"),
    (Role::Failed, "--err", "#dc2626", "#f87171"),
    (Role::Good, "--ok", "#0f6b34", "#78d693"),
    (Role::Saved, "--saved", "#418066", "#5ba980"),
    (Role::Joined, "--joined", "#5484ba", "#6a8eb7"),
    (Role::Look, "--p95", "#d97706", "#fbbf24"),
    (Role::Phone, "--phone", "#6a2c91", "#dcaef5"),
    (Role::Desk, "--desk", "#0a4f9c", "#8fc2ff"),
    (Role::Away, "--away", "#33485c", "#b7c6d6"),
    (Role::OnColour, "--on-colour", "#16150f", "#16150f"),
];

/// The variables that only charts use, for the desk's sheet. The others are tokens of the whole desk.
pub const CSS: &str = ":root{--p50:#2563eb;--p95:#d97706;--p99:#9333ea;--err:#dc2626;--saved:#418066;--joined:#5484ba}\
[data-theme=\"dark\"]{--p50:#60a5fa;--p95:#fbbf24;--p99:#c084fc;--err:#f87171;--saved:#5ba980;--joined:#6a8eb7}";

/// Where the colours of a drawing come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The page's CSS variables; a page without them shows the light colours.
    Variables,
    /// Fixed, on white.
    Light,
    /// Fixed, on the dark page's colour.
    Dark,
}

impl Ink {
    /// A colour as SVG writes it.
    pub(crate) fn paint(self, role: Role) -> String {
        let (_, variable, light, dark) = COLOURS[role as usize];
        match self {
            Self::Variables => format!("var({variable},{light})"),
            Self::Light => light.to_owned(),
            Self::Dark => dark.to_owned(),
        }
    }
}

impl Role {
    /// plotters knows colours only: this one carries the role to the paper.
    pub(crate) const fn carried(self) -> RGBColor {
        RGBColor(self as u8, 0, 0)
    }

    /// The role that a colour carries.
    pub(crate) fn of(carried: (u8, u8, u8)) -> Self {
        COLOURS.get(usize::from(carried.0)).map_or(Self::Ink, |(role, ..)| *role)
    }

    /// The CSS variable, for the page's own read-outs.
    pub(crate) const fn variable(self) -> &'static str {
        COLOURS[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_stands_at_its_own_place() {
        for (place, (role, variable, light, dark)) in COLOURS.into_iter().enumerate() {
            assert_eq!(role as usize, place);
            assert_eq!(Role::of((u8::try_from(place).unwrap(), 0, 0)), role);
            assert!(variable.starts_with("--") && light.len() == 7 && dark.len() == 7, "{variable}");
        }
    }

    #[test]
    fn the_sheet_has_the_charts_own_colours() {
        for (_, variable, light, dark) in COLOURS.into_iter().filter(|colour| CSS.contains(&format!("{}:", colour.1))) {
            assert!(CSS.contains(&format!("{variable}:{light}")) && CSS.contains(&format!("{variable}:{dark}")));
        }
        for variable in ["--p50", "--p95", "--p99", "--err", "--saved", "--joined"] {
            assert_eq!(CSS.matches(&format!("{variable}:")).count(), 2);
        }
    }
}
