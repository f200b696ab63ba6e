//! What people and scripts read: lines on standard output, notes beside it, and colour where a
//! person looks.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use clap::Args;
use clap::builder::TypedValueParser as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How to show things.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Display {
    /// One JSON object for each line, for scripts.
    #[arg(long, global = true)]
    json: bool,
    /// No colour; also when `NO_COLOR` is set, and where no person looks.
    // By no-color.org any value that is not empty counts, "0" and "false" too.
    #[arg(
        long,
        global = true,
        env = "NO_COLOR",
        hide_env = true,
        action = clap::ArgAction::SetTrue,
        value_parser = clap::builder::StringValueParser::new().map(|text| !text.is_empty()),
    )]
    no_color: bool,
}

/// A colour, or the lack of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    Yellow,
    Red,
    Dim,
}

/// Where things are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) json: bool,
    coloured: bool,
    bars: bool,
}

impl Screen {
    /// Looks at whether people are there.
    pub(crate) fn new(display: &Display) -> Self {
        Self {
            json: display.json,
            coloured: !display.json && !display.no_color && io::stdout().is_terminal(),
            bars: io::stderr().is_terminal(),
        }
    }

    /// A screen where no person looks.
    #[cfg(test)]
    pub(crate) const fn plain(json: bool) -> Self {
        Self {
            json,
            coloured: false,
            bars: false,
        }
    }

    /// Writes a line to standard output, at once.
    ///
    /// # Errors
    ///
    /// When nobody reads there any more.
    #[expect(
        clippy::unused_self,
        reason = "what is shown goes by the screen, whatever it looks like"
    )]
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Tells a person something that is not a result.
    #[expect(
        clippy::unused_self,
        reason = "what is shown goes by the screen, whatever it looks like"
    )]
    pub(crate) fn note(self, text: &str) {
        // Nobody may be there to read it.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// The text in a colour, where there are colours.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        if !self.coloured {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Red => 31,
            Colour::Dim => 2,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// A bar from nothing to `total`, on standard error; not drawn where no person looks.
    pub(crate) fn bar(self, total: u64, what: &'static str) -> ProgressBar {
        let template = "{msg} {bar:32} {pos}/{len} {eta}";
        self.progress(
            ProgressBar::with_draw_target(Some(total), self.target()),
            template,
            what,
        )
    }

    /// The same in bytes.
    pub(crate) fn bar_of_bytes(self, total: u64, what: &'static str) -> ProgressBar {
        let template = "{msg} {bar:32} {bytes}/{total_bytes} {eta}";
        self.progress(
            ProgressBar::with_draw_target(Some(total), self.target()),
            template,
            what,
        )
    }

    /// Something that turns while work without a known end goes on.
    pub(crate) fn spinner(self, what: &'static str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        self.progress(bar, "{spinner} {msg} {pos}", what)
    }

    fn target(self) -> ProgressDrawTarget {
        if self.bars && !self.json {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }

    #[expect(clippy::unused_self, reason = "it belongs to the bars above")]
    fn progress(self, bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template(template).expect("the templates are good");
        bar.set_style(style.progress_chars("━╸─"));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Text of others without what would move a terminal's cursor, change its colours or turn the
/// direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let harmless = |c: char| {
        if c.is_control() || turns(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(harmless).collect()
}

/// The same for texts of several lines.
pub(crate) fn plain_lines(text: &str) -> String {
    let lines = text.lines().map(|line| plain(&line.replace('\t', "    ")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_command_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\r\nü"), "a\u{fffd}[31mb\u{fffd}\u{fffd}ü");
        assert_eq!(plain("paid\u{202e}txt"), "paid\u{fffd}txt");
        assert_eq!(plain_lines("a\tb\r\nc\x07"), "a    b\nc\u{fffd}");
    }

    #[test]
    fn colour_is_for_people_only() {
        let screen = |coloured| Screen {
            json: false,
            coloured,
            bars: false,
        };
        assert_eq!(screen(false).paint(Colour::Red, "500"), "500");
        assert_eq!(screen(true).paint(Colour::Red, "500"), "\x1b[31m500\x1b[0m");
    }
}
