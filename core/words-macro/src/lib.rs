//! `t!` and `catalogue!`; see the crate `daybind-words`, which hands them on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

/// A text of the interface in the language spoken.
///
/// `t!("Save")` is a `&'static str`. With values it is a `String` and takes them as `format!` does: `t!("{count} entries")`,
/// `t!("Set by {} on {}", who, day)`. Where one English word is two in German, a context comes first:
/// `t!("verb" => "Open")` (`msgctxt` in the catalogue). The German takes the same values: `{}` in the same order, or `{0}`,
/// `{1}` in another.
///
/// # Errors
/// A text without German in the crate's `words/de.po` does not compile.
#[proc_macro]
pub fn t(input: TokenStream) -> TokenStream {
    let text = syn::parse_macro_input!(input as Text);
    expand(&text)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Once in a crate with texts: has the crate built anew when its catalogue changes.
#[proc_macro]
pub fn catalogue(_: TokenStream) -> TokenStream {
    quote! {
        const _: &str = ::core::include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/words/de.po"));
    }
    .into()
}

/// A text whose values are put in later, by whoever is handed it: `{n}` stays as it is. Otherwise as [`t!`].
#[proc_macro]
pub fn template(input: TokenStream) -> TokenStream {
    let text = syn::parse_macro_input!(input as Text);
    let found = german(&text).map(|german| {
        let english = &text.english;
        quote!(::daybind_words::pick(#english, #german))
    });
    found
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

struct Text {
    context: Option<LitStr>,
    english: LitStr,
    values: Tokens,
}

impl Parse for Text {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let first: LitStr = input.parse()?;
        let (context, english) = if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
            (Some(first), input.parse()?)
        } else {
            (None, first)
        };
        let values = if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            input.parse()?
        } else {
            Tokens::new()
        };
        Ok(Self {
            context,
            english,
            values,
        })
    }
}

fn german(text: &Text) -> syn::Result<LitStr> {
    let (key, context) = (text.english.value(), text.context.as_ref());
    let context = context.map(LitStr::value).unwrap_or_default();
    let catalogue = catalogue_of_crate().as_ref();
    let catalogue = catalogue.map_err(|error| syn::Error::new(Span::call_site(), error))?;
    let german = catalogue.get(&(context, key.clone()));
    let german = german.ok_or_else(|| {
        let message =
            format!("There is no German for {key:?}: add it to this crate's words/de.po.");
        syn::Error::new(text.english.span(), message)
    })?;
    Ok(LitStr::new(german, text.english.span()))
}

fn expand(text: &Text) -> syn::Result<Tokens> {
    let german = german(text)?;
    let Text {
        english, values, ..
    } = text;
    if values.is_empty() && !english.value().contains('{') {
        return Ok(quote!(::daybind_words::pick(#english, #german)));
    }
    Ok(quote! {
        match ::daybind_words::lang() {
            ::daybind_words::Lang::De => ::std::format!(#german, #values),
            __spoken => ::daybind_words::filled(__spoken, ::std::format!(#english, #values)),
        }
    })
}

/// German by context (empty for none) and English.
type Catalogue = HashMap<(String, String), String>;

/// The catalogue of the crate being compiled: each crate is compiled by a process of its own.
fn catalogue_of_crate() -> &'static Result<Catalogue, String> {
    static READ: OnceLock<Result<Catalogue, String>> = OnceLock::new();
    READ.get_or_init(|| {
        let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        let path = PathBuf::from(folder).join("words").join("de.po");
        let read = polib::po_file::parse(&path);
        let read = read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let all = read.messages().filter(|message| message.is_translated());
        Ok(all
            .map(|message| {
                let german = message.msgstr().unwrap_or_default().to_owned();
                let context = message.msgctxt().unwrap_or_default().to_owned();
                ((context, message.msgid().to_owned()), german)
            })
            .collect())
    })
}
