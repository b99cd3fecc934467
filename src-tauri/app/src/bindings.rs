//! What the page knows of this program: the types that cross to it (`ui/src/bindings.ts`) and the calls of its commands
//! (`ui/src/commands.ts`). Both are written from the Rust sources; these tests fail while they are stale.

use std::fs;
use std::path::Path;

use expect_test::expect_file;
use syn::{FnArg, GenericArgument, Item, ItemFn, Pat, PathArguments, ReturnType, Type};
use ts_rs::{Config, TS};

const HEAD: &str = "// Generated from the Rust sources by `cargo xtask bindings`. Do not edit.\n";

fn types() -> String {
    let config = Config::default();
    let mut text = String::from(HEAD) + &reeldesk_core::typescript();
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {
            $(text.push_str(&format!("\nexport {}\n", <$type as TS>::decl(&config)));)*
        };
    }
    declare!(
        crate::desk::Boot,
        crate::desk::AtWork,
        crate::desk::SignInPage,
        crate::quit::How,
        crate::chosen::Drag,
        crate::events::EventBatch,
        crate::habits::HabitsShown,
        crate::commands::viewers::InviteProgress,
        reeldesk_shell::Removed,
    );
    text
}

/// What an argument of a command is to the page.
enum Argument {
    /// Tauri gives it.
    OfTauri,
    /// The workspace that the command is about.
    Workspace,
    /// The page hears messages of this type.
    Channel(String),
    /// The page gives a value of this type.
    Value(String),
}

/// A command, in TypeScript.
struct Call {
    docs: String,
    name: String,
    result: String,
    arguments: Vec<(String, Argument)>,
}

/// The last name of a type's path, and what stands between its angle brackets.
fn name_and_generics(of: &Type) -> (String, Vec<&Type>) {
    let Type::Path(path) = of else { panic!("a command takes and gives named types") };
    let last = path.path.segments.last().unwrap();
    let generics = match &last.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().collect(),
        _ => Vec::new(),
    };
    let types = generics.into_iter().filter_map(|one| match one {
        GenericArgument::Type(one) => Some(one),
        _ => None,
    });
    (last.ident.to_string(), types.collect())
}

fn typescript(of: &Type) -> String {
    if matches!(of, Type::Tuple(tuple) if tuple.elems.is_empty()) {
        return "null".to_owned();
    }
    let (name, generics) = name_and_generics(of);
    match (name.as_str(), generics.as_slice()) {
        ("Option", [inner]) => format!("{} | null", typescript(inner)),
        ("Vec", [inner]) if name_and_generics(inner).0 == "Option" => format!("({})[]", typescript(inner)),
        ("Vec", [inner]) => format!("{}[]", typescript(inner)),
        ("String" | "Uuid", []) => "string".to_owned(),
        ("bool", []) => "boolean".to_owned(),
        ("i64" | "u64" | "usize", []) => "number".to_owned(),
        (_, []) => name,
        _ => panic!("{name} has no TypeScript here"),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

impl Argument {
    fn of(ty: &Type) -> Self {
        let (name, generics) = name_and_generics(ty);
        match (name.as_str(), generics.as_slice()) {
            ("State" | "AppHandle" | "WebviewWindow", _) => Self::OfTauri,
            ("Opened", []) => Self::Workspace,
            ("Channel", [message]) => Self::Channel(typescript(message)),
            _ => Self::Value(typescript(ty)),
        }
    }
}

impl Call {
    fn of(function: &ItemFn) -> Self {
        let doc = |attribute: &syn::Attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        };
        let argument = |argument: &FnArg| match argument {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(name) => (camel_case(&name.ident.to_string()), Argument::of(&typed.ty)),
                _ => panic!("an argument of a command has a name"),
            },
            FnArg::Receiver(_) => panic!("a command has no self"),
        };
        let ReturnType::Type(_, result) = &function.sig.output else { panic!("a command gives a Result") };
        let (_, result) = name_and_generics(result);
        Self {
            docs: function.attrs.iter().filter_map(doc).collect::<Vec<_>>().join(" "),
            name: function.sig.ident.to_string(),
            result: typescript(result[0]),
            arguments: function.sig.inputs.iter().map(argument).collect(),
        }
    }

    fn asks_a_workspace(&self) -> bool {
        self.arguments.iter().any(|(_, argument)| matches!(argument, Argument::Workspace))
    }

    /// Declares it: as a method of the class of a workspace, or as a function.
    fn declaration(&self, indent: &str, keyword: &str) -> String {
        let (mut takes, mut sends) = (Vec::new(), Vec::new());
        for (name, argument) in &self.arguments {
            match argument {
                Argument::OfTauri => {}
                Argument::Workspace => sends.push("workspace: this.workspace".to_owned()),
                Argument::Channel(message) => {
                    takes.push(format!("{name}: (message: {message}) => void"));
                    sends.push(format!("{name}: channel({name})"));
                }
                Argument::Value(of) => {
                    takes.push(format!("{name}: {of}"));
                    sends.push(name.clone());
                }
            }
        }
        let Self { docs, name, result, .. } = self;
        let docs = if docs.is_empty() { String::new() } else { format!("{indent}/** {docs} */\n") };
        let sends = if sends.is_empty() { String::new() } else { format!(", {{ {} }}", sends.join(", ")) };
        let (call, takes) = (camel_case(name), takes.join(", "));
        format!("{docs}{indent}{keyword} {call} = ({takes}) => invoke<{result}>('{name}'{sends});\n")
    }
}

/// The commands of the list in `handler.rs`, as their sources declare them.
fn calls() -> Vec<Call> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/app/src");
    let source = fs::read_to_string(root.join("handler.rs")).unwrap();
    let (_, list) = source.split_once("generate_handler![").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let command = |path: &str| {
        let (module, name) = path.rsplit_once("::").unwrap();
        let file = root.join(module.replace("::", "/")).with_extension("rs");
        let items = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap().items;
        let function = items.iter().find_map(|item| match item {
            Item::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        });
        Call::of(function.unwrap_or_else(|| panic!("{path} is in no file")))
    };
    list.split(',').map(str::trim).filter(|path| !path.is_empty()).map(command).collect()
}

fn commands() -> String {
    let (of_one, of_all): (Vec<_>, Vec<_>) = calls().into_iter().partition(Call::asks_a_workspace);
    let functions = of_all.iter().map(|call| call.declaration("", "export const"));
    let methods = of_one.iter().map(|call| call.declaration("  ", "readonly"));
    let (functions, methods) = (functions.collect::<String>(), methods.collect::<String>());
    let is_code = |line: &&str| !line.trim_start().starts_with("/**");
    let called = functions.lines().chain(methods.lines()).filter(is_code).collect::<String>();
    let types = types();
    let names = types.split("\nexport type ").skip(1).filter_map(|after| after.split([' ', '<']).next());
    let uses = |name: &&str| {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        called
            .match_indices(name)
            .any(|(at, _)| !called[..at].ends_with(is_part) && !called[at + name.len()..].starts_with(is_part))
    };
    let imports = names.filter(uses).map(|name| format!("  {name},\n")).collect::<String>();
    format!(
        "{HEAD}\nimport {{ Channel, invoke }} from '@tauri-apps/api/core';\n\nimport type {{\n{imports}}} from './bindings';\n
function channel<T>(hear: (message: T) => void): Channel<T> {{
  const channel = new Channel<T>();
  channel.onmessage = hear;
  return channel;
}}

{functions}
/** What is asked of one workspace: it goes with each question, so that a switch of the window leads none to another. */
export class WorkspaceBackend {{
  constructor(readonly workspace: string) {{}}

{methods}}}
"
    )
}

#[test]
fn the_types_of_the_page_are_fresh() {
    expect_file!["../../../ui/src/bindings.ts"].assert_eq(&types());
}

#[test]
fn the_calls_of_the_page_are_fresh() {
    expect_file!["../../../ui/src/commands.ts"].assert_eq(&commands());
}
