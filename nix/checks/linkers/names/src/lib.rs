use proc_macro::TokenStream;

#[proc_macro]
pub fn function(name: TokenStream) -> TokenStream {
    format!("#[unsafe(no_mangle)] pub extern \"C\" fn {name}() {{ println!(\"called\") }}").parse().unwrap()
}
