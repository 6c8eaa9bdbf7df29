//! What an import tells the operator.

use std::fmt::Write as _;

use daybind_domain::Edition;
use daybind_domain::ids::TenantId;
use serde::Serialize;

/// How a row of the predecessor came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Brought over by this run.
    Done,
    /// Brought over by an earlier run, or here already.
    Already,
    /// Not brought over, or not completely: an operator must do something.
    Todo,
    /// Not brought over, and nothing is to be done.
    Left,
}

/// One finding. `code` is stable; the sentences may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The MSP here.
    pub tenant_id: Option<TenantId>,
    /// How it came out.
    pub mark: Mark,
    /// What it is, for programs.
    pub code: &'static str,
    /// The thing, for example `profile "Contoso main"`.
    pub subject: String,
    /// What became of it.
    pub what: String,
    /// What an operator must do; empty unless [`Mark::Todo`].
    pub todo: String,
}

impl Line {
    fn new(
        mark: Mark,
        code: &'static str,
        tenant_id: impl Into<Option<TenantId>>,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            tenant_id: tenant_id.into(),
            mark,
            code,
            subject: subject.into(),
            what: what.into(),
            todo: String::new(),
        }
    }

    /// Brought over.
    pub fn done(
        code: &'static str,
        tenant_id: impl Into<Option<TenantId>>,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(Mark::Done, code, tenant_id, subject, what)
    }

    /// There already.
    pub fn already(
        code: &'static str,
        tenant_id: impl Into<Option<TenantId>>,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(Mark::Already, code, tenant_id, subject, what)
    }

    /// Left over there on purpose.
    pub fn left(
        code: &'static str,
        tenant_id: impl Into<Option<TenantId>>,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self::new(Mark::Left, code, tenant_id, subject, what)
    }

    /// Something for an operator.
    pub fn todo(
        code: &'static str,
        tenant_id: impl Into<Option<TenantId>>,
        subject: impl Into<String>,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        let mut line = Self::new(Mark::Todo, code, tenant_id, subject, what);
        line.todo = todo.into();
        line
    }
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which edition imported: `ce` or `ee`.
    pub edition: &'static str,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// General remarks.
    pub notes: Vec<String>,
    /// Findings, by MSP in the order of its parts.
    pub lines: Vec<Line>,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(edition: Edition, dry_run: bool) -> Self {
        Self {
            edition: edition.as_str(),
            dry_run,
            notes: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// How many lines are of that kind.
    #[must_use]
    pub fn count(&self, mark: Mark) -> usize {
        self.lines.iter().filter(|line| line.mark == mark).count()
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.dry_run {
            text.push_str("Dry run: nothing was written.\n");
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        let mut tenant = None;
        for line in &self.lines {
            if line.tenant_id.is_some() && line.tenant_id != tenant {
                tenant = line.tenant_id;
                if let Some(id) = tenant {
                    let _ = writeln!(text, "\nMSP {id}");
                }
            }
            let mark = match (line.mark, self.dry_run) {
                (Mark::Done, false) => "done   ",
                (Mark::Done, true) => "would  ",
                (Mark::Already, _) => "already",
                (Mark::Todo, _) => "TO DO  ",
                (Mark::Left, _) => "left   ",
            };
            let _ = writeln!(text, "  {mark}  {}: {}", line.subject, line.what);
            if !line.todo.is_empty() {
                let _ = writeln!(text, "           → {}", line.todo);
            }
        }
        let _ = writeln!(
            text,
            "\n{} {}, {} were here already, {} for you to do, {} left.",
            self.count(Mark::Done),
            if self.dry_run {
                "would be brought over"
            } else {
                "brought over"
            },
            self.count(Mark::Already),
            self.count(Mark::Todo),
            self.count(Mark::Left),
        );
        text
    }
}
