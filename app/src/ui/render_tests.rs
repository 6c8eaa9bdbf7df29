//! What the server writes: user text never becomes markup, descriptions are wired, no inline style.

use daybind_domain::AppError;
use leptos::prelude::*;

use super::*;

const ATTACK: &str = "</textarea><script>alert(1)</script>\" onfocus=\"x & y";

fn wrong(field: &str, message: &str) -> Failed {
    Signal::stored(Some(AppError::field(field, message)))
}

fn render<V: IntoView + 'static>(make: impl FnOnce() -> V) -> String {
    let owner = Owner::new();
    owner.with(|| make().into_view().to_html())
}

#[test]
fn text_stays_inside_a_textarea() {
    let html = render(|| view! { <TextArea id="note" label="Note" name="note" value=ATTACK /> });
    assert!(!html.contains("<script>"), "{html}");
    assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
    assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;"), "{html}");
    assert!(html.contains("x &amp; y"), "{html}");
}

#[test]
fn a_leading_line_break_survives() {
    let html =
        render(|| view! { <TextArea id="note" label="Note" name="note" value="\nsecond" /> });
    assert!(html.contains(">\n\nsecond</textarea>"), "{html}");
}

#[test]
fn every_component_escapes_user_text() {
    let html = render(|| {
        view! {
            <PageHead title=ATTACK lede=ATTACK />
            <Section title=ATTACK id="s">
                <TextField id="a" label=ATTACK name="a" value=ATTACK hint=ATTACK error=wrong("a", ATTACK) />
                <SecretField id="b" label=ATTACK name="b" />
                <SelectField
                    id="c"
                    label=ATTACK
                    name="c"
                    options=vec![(ATTACK.to_owned(), ATTACK.to_owned())]
                    selected=ATTACK
                />
                <TextArea id="d" label=ATTACK name="d" value=ATTACK />
                <CopyField label=ATTACK value=ATTACK />
                <TimeText datetime=ATTACK text=ATTACK />
            </Section>
            <ErrorSummary error=wrong("a", ATTACK) fields=&[("a", "a")] />
            <Announcement text=ATTACK dismiss="/" />
            <Banner kind=BannerKind::Danger title=ATTACK />
            <EmptyState title=ATTACK text=ATTACK />
            <StatusTag kind=StatusKind::Waiting text=ATTACK />
            <LaneCard
                id="l"
                title=ATTACK
                status=StatusKind::Working
                left=LaneSide { title: ATTACK.to_owned(), stations: vec![ATTACK.to_owned()] }
                right=LaneSide { title: ATTACK.to_owned(), stations: vec![ATTACK.to_owned()] }
            />
        }
    });
    assert!(!html.contains("<script>alert"), "{html}");
    // Between `<` and `>`, a quotation mark from outside would have ended its attribute.
    let tags = html
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next());
    for tag in tags {
        assert!(!tag.contains("\" onfocus="), "an attribute was left: {tag}");
    }
    assert!(!html.contains("style="), "inline style: {html}");
    assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
}

#[test]
fn a_wrong_field_is_described_and_marked() {
    let html = render(|| {
        view! {
            <TextField
                id="profile-client"
                label="Client ID"
                name="client_id"
                value="x"
                hint="A GUID."
                error=wrong("client_id", "Enter a GUID.")
            />
        }
    });
    assert!(
        html.contains("aria-describedby=\"profile-client-hint profile-client-error\""),
        "{html}"
    );
    assert!(html.contains("aria-invalid=\"true\""), "{html}");
    assert!(html.contains("for=\"profile-client\""), "{html}");
}

#[test]
fn a_secret_field_never_has_a_value() {
    let html = render(|| view! { <SecretField id="secret" label="Secret" name="secret" /> });
    assert!(html.contains("type=\"password\""), "{html}");
    assert!(
        !html.contains("value=\"") || html.contains("value=\"\""),
        "{html}"
    );
    assert!(html.contains(" required"), "{html}");
}

#[test]
fn no_errors_no_summary() {
    let html = render(|| view! { <ErrorSummary error=Signal::stored(None) /> });
    assert!(!html.contains("db-error-summary"), "{html}");
}

#[test]
fn status_says_the_word_and_hides_the_shape() {
    let html = render(|| view! { <StatusTag kind=StatusKind::NeedsYou /> });
    assert!(html.contains("Needs you"), "{html}");
    assert!(html.contains("/icons.svg#status-needs-you"), "{html}");
    assert!(html.contains("aria-hidden=\"true\""), "{html}");
}
