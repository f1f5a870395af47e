// SPDX-License-Identifier: MIT OR Apache-2.0
//! `#[derive(Record)]`, which `unipc::record` hands on.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, Meta, Token};

/// Makes a `#[repr(C)]` structure a record; see the trait `unipc::record::Record`.
#[proc_macro_derive(Record)]
pub fn record(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn derive(input: &DeriveInput) -> Result<Tokens, Error> {
    let fields = fields_of(input)?;
    check_representation(input)?;
    if !input.generics.params.is_empty() {
        let why = "a record has one layout: it cannot have parameters";
        return Err(Error::new(input.generics.span(), why));
    }
    let name = &input.ident;
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let words = fields.iter().map(|field| field.ident.as_ref().map(|it| it.unraw().to_string()));
    let words: Vec<_> = words.map(Option::unwrap_or_default).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::unipc::record::Record for #name {
            fn layout() -> ::unipc::Result<::unipc::record::Layout> {
                ::unipc::record::Layout::structure(
                    ::core::mem::size_of::<Self>(),
                    [#(::unipc::record::Field::new(
                        #words,
                        ::core::mem::offset_of!(Self, #idents),
                        <#types as ::unipc::record::Record>::layout()?,
                    ),)*],
                )
            }

            #[inline]
            fn load(bytes: &[u8]) -> Self {
                Self {#(
                    #idents: <#types as ::unipc::record::Record>::load(
                        &bytes[::core::mem::offset_of!(Self, #idents)..],
                    ),
                )*}
            }

            #[inline]
            fn store(&self, bytes: &mut [u8]) {
                bytes[..::core::mem::size_of::<Self>()].fill(0);
                #(
                    // A copy: in a packed structure there are no references.
                    let value: #types = self.#idents;
                    ::unipc::record::Record::store(
                        &value,
                        &mut bytes[::core::mem::offset_of!(Self, #idents)..],
                    );
                )*
            }
        }
    })
}

fn fields_of(input: &DeriveInput) -> Result<Vec<&Field>, Error> {
    let why = "a record is a structure with named fields";
    let Data::Struct(structure) = &input.data else {
        return Err(Error::new(input.ident.span(), why));
    };
    match &structure.fields {
        Fields::Named(fields) if !fields.named.is_empty() => Ok(fields.named.iter().collect()),
        _ => Err(Error::new(input.ident.span(), why)),
    }
}

/// Only `repr(C)` says where the fields lie.
fn check_representation(input: &DeriveInput) -> Result<(), Error> {
    let is_c = |attribute: &Attribute| {
        let words = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        words.is_ok_and(|words| words.iter().any(|word| word.path().is_ident("C")))
    };
    let mut representations = input.attrs.iter().filter(|it| it.path().is_ident("repr"));
    if representations.any(is_c) {
        return Ok(());
    }
    Err(Error::new(
        input.ident.span(),
        "a record needs #[repr(C)], so that C and Python find its fields",
    ))
}
