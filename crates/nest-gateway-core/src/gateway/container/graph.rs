//! Who needs whom, and who sees whom: worked out before anything is
//! constructed. Nothing here is async.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use super::error::WiringProblem;
use crate::gateway::module::{ModuleSource, Source};
use crate::gateway::provider::{Dependency, Hook, Key, Kind, Provider};

/// Names a module of one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModuleId(usize);

/// Modules and providers, by what they see and need.
#[derive(Default)]
pub(super) struct Graph {
    roots: Vec<ModuleId>,
    modules: Vec<ModuleNode>,
    providers: Vec<ProviderNode>,
    index: HashMap<Key, usize>,
    attachments: Vec<(ModuleId, Key, Arc<dyn Any + Send + Sync>)>,
}

struct ModuleNode {
    name: String,
    provides: HashSet<Key>,
    imports: Vec<ModuleId>,
    /// What it says it exports; may name a module.
    declared: Vec<Key>,
    global: bool,
    /// What an importer gets to see.
    exported: HashSet<Key>,
    /// What its own providers get to see.
    visible: HashSet<Key>,
}

struct ProviderNode {
    key: Key,
    /// The first module that lists it; an override of nothing has none.
    module: Option<ModuleId>,
    /// Whether an override took its place, which then sees everything.
    overridden: bool,
    /// Whether it is left out, since only overridden providers needed it.
    orphan: bool,
    dependencies: Vec<Dependency>,
    /// Those of its dependencies that it sees.
    needs: Vec<usize>,
}

/// A graph without problems, and what to construct in which order.
pub(super) struct Plan {
    pub(super) graph: Graph,
    pub(super) steps: Vec<(usize, Provider)>,
}

impl Graph {
    /// Works out the order of construction, or all that stands against it.
    pub(super) fn plan(
        roots: Vec<ModuleSource>,
        overrides: Vec<Provider>,
    ) -> Result<Plan, Vec<WiringProblem>> {
        let mut builder = Builder::default();
        for root in roots {
            let root = builder.add_module(root);
            builder.graph.roots.push(root);
        }
        builder.link_modules();
        builder.graph.link_providers();
        builder.replace(overrides);
        builder.check();
        let order = builder.order();
        if !builder.problems.is_empty() {
            return Err(builder.problems);
        }
        let Builder {
            graph, mut recipes, ..
        } = builder;
        let steps = order
            .into_iter()
            .filter_map(|index| Some((index, recipes.get_mut(index)?.take()?)))
            .collect();
        Ok(Plan { graph, steps })
    }

    pub(super) fn providers(&self) -> impl Iterator<Item = Key> {
        self.providers.iter().map(|provider| provider.key)
    }

    pub(super) fn attachments(
        &self,
    ) -> impl Iterator<Item = (ModuleId, Key, &Arc<dyn Any + Send + Sync>)> {
        self.attachments
            .iter()
            .map(|(module, provider, value)| (*module, *provider, value))
    }

    pub(super) fn roots(&self) -> &[ModuleId] {
        &self.roots
    }

    pub(super) fn module_name(&self, module: ModuleId) -> &str {
        &self.modules[module.0].name
    }

    /// The module through whose eyes a provider sees; `None` sees everything.
    pub(super) fn home(&self, provider: usize) -> Option<ModuleId> {
        let node = &self.providers[provider];
        node.module.filter(|_| !node.overridden)
    }

    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.index.get(&key).copied()
    }

    pub(super) fn find_visible(&self, from: Option<ModuleId>, key: Key) -> Option<usize> {
        let visible = from.is_none_or(|module| self.modules[module.0].visible.contains(&key));
        self.find(key).filter(|_| visible)
    }

    /// `ChatService (ChatModule)`.
    pub(super) fn label(&self, provider: usize) -> String {
        let node = &self.providers[provider];
        format!("{} ({})", node.key, self.origin(node))
    }

    fn origin(&self, node: &ProviderNode) -> &str {
        node.module
            .map_or("an override", |module| self.module_name(module))
    }

    /// Who needs the provider, from the outermost consumer inwards:
    /// `ChatGateway (ChatModule) needs ChatService`.
    pub(super) fn chain_to(&self, provider: usize) -> String {
        let mut chain = vec![provider];
        let mut last = provider;
        while let Some(consumer) = self.consumer_of(last).filter(|next| !chain.contains(next)) {
            chain.push(consumer);
            last = consumer;
        }
        chain.reverse();
        self.in_words(&chain)
    }

    fn consumer_of(&self, provider: usize) -> Option<usize> {
        self.providers
            .iter()
            .position(|node| !node.orphan && node.needs.contains(&provider))
    }

    /// A module is named where it is another than that of the provider before.
    fn in_words(&self, chain: &[usize]) -> String {
        let mut words = String::new();
        let mut place = "";
        for (position, &provider) in chain.iter().enumerate() {
            let node = &self.providers[provider];
            words.push_str(needs(position));
            words.push_str(&node.key.short_name());
            if self.origin(node) != place {
                place = self.origin(node);
                words.extend([" (", place, ")"]);
            }
        }
        words
    }

    /// What to do so that a consumer in this module can have what it needs.
    pub(super) fn advice(&self, from: Option<ModuleId>, consumer: Key, needed: Key) -> String {
        if let Some(provider) = self.find_visible(from, needed) {
            return if self.providers[provider].orphan {
                "it was left out, because only overridden providers need it; override it too".into()
            } else {
                format!("it is constructed later; list it in the dependencies of {consumer}")
            };
        }
        let place = from.map_or("any module", |module| self.module_name(module));
        let exporter = self
            .modules
            .iter()
            .find(|module| module.exported.contains(&needed));
        if let Some(exporter) = exporter {
            return format!(
                "{0} exports it; add {0} to imports(..) of {place}",
                exporter.name
            );
        }
        let owner = self
            .modules
            .iter()
            .position(|module| module.provides.contains(&needed));
        let Some(owner) = owner else {
            return format!(
                "nothing provides it; add it to providers(..) of {place}, \
                 or import a module that exports it"
            );
        };
        let name = &self.modules[owner].name;
        let mut advice =
            format!("{name} provides it but does not export it; add it to exports(..) of {name}");
        let imported =
            from.is_some_and(|module| self.modules[module.0].imports.contains(&ModuleId(owner)));
        if !imported {
            let _ = write!(advice, ", and {name} to imports(..) of {place}");
        }
        advice
    }

    /// Finds what each provider needs, as far as it sees it.
    fn link_providers(&mut self) {
        for provider in 0..self.providers.len() {
            let from = self.home(provider);
            let dependencies = &self.providers[provider].dependencies;
            let needs = dependencies
                .iter()
                .filter_map(|it| self.find_visible(from, it.key));
            self.providers[provider].needs = needs.collect();
        }
    }
}

fn needs(position: usize) -> &'static str {
    match position {
        0 => "",
        1 => " needs ",
        _ => ", which needs ",
    }
}

#[derive(Default)]
struct Builder {
    graph: Graph,
    modules_by_key: HashMap<Key, ModuleId>,
    /// How to construct each provider of the graph.
    recipes: Vec<Option<Provider>>,
    attached: HashSet<(Key, TypeId)>,
    problems: Vec<WiringProblem>,
}

impl Builder {
    /// Adds a module, and before its providers all the modules it imports.
    fn add_module(&mut self, source: ModuleSource) -> ModuleId {
        let id = ModuleId(self.graph.modules.len());
        let descriptor = match source.0 {
            Source::Descriptor(descriptor) => descriptor,
            Source::Type { key, describe } => {
                if let Some(known) = self.modules_by_key.get(&key) {
                    return *known;
                }
                // Known from now on, so that modules may import each other.
                self.modules_by_key.insert(key, id);
                describe()
            }
        };
        let provides: HashSet<Key> = descriptor.providers.iter().map(Provider::key).collect();
        let mut declared = descriptor.exports;
        if descriptor.export_all {
            declared.extend(&provides);
        }
        self.graph.modules.push(ModuleNode {
            name: descriptor.name,
            provides,
            imports: Vec::new(),
            declared,
            global: descriptor.global,
            exported: HashSet::new(),
            visible: HashSet::new(),
        });
        for import in descriptor.imports {
            let imported = self.add_module(import);
            self.graph.modules[id.0].imports.push(imported);
        }
        for provider in descriptor.providers {
            self.add_provider(provider, Some(id));
        }
        for attached in descriptor.attachments {
            if self
                .attached
                .insert((attached.provider, (*attached.value).type_id()))
            {
                self.graph
                    .attachments
                    .push((id, attached.provider, attached.value));
            }
        }
        id
    }

    fn add_provider(&mut self, provider: Provider, module: Option<ModuleId>) {
        let key = provider.key;
        let Some(known) = self.graph.find(key) else {
            self.graph.index.insert(key, self.recipes.len());
            self.graph.providers.push(ProviderNode {
                key,
                module,
                overridden: module.is_none(),
                orphan: false,
                dependencies: provider.dependencies.clone(),
                needs: Vec::new(),
            });
            self.recipes.push(Some(provider));
            return;
        };
        let says_the_same = |known: &Provider| known.kind == Kind::Type;
        if provider.kind == Kind::Type && self.recipes[known].as_ref().is_some_and(says_the_same) {
            return;
        }
        let name = |module: Option<ModuleId>| {
            module.map_or_else(String::new, |module| {
                self.graph.module_name(module).to_owned()
            })
        };
        self.problems.push(WiringProblem::Duplicate {
            provider: key,
            first: name(self.graph.providers[known].module),
            second: name(module),
        });
    }

    /// Works out what each module exports and sees.
    fn link_modules(&mut self) {
        // Exports of exports: goes on until a round adds nothing.
        while (0..self.graph.modules.len()).any(|module| self.extend_exports(module)) {}
        let modules = &self.graph.modules;
        let visible: Vec<HashSet<Key>> = modules
            .iter()
            .map(|module| {
                let imported = self.sources_of(module).flat_map(|source| &source.exported);
                module.provides.iter().chain(imported).copied().collect()
            })
            .collect();
        for (module, visible) in self.graph.modules.iter_mut().zip(visible) {
            module.visible = visible;
            for &exported in &module.declared {
                let is_import = self
                    .modules_by_key
                    .get(&exported)
                    .is_some_and(|id| module.imports.contains(id));
                if !is_import && !module.exported.contains(&exported) {
                    self.problems.push(WiringProblem::Export {
                        module: module.name.clone(),
                        exported,
                    });
                }
            }
        }
    }

    /// The modules whose exports this one sees.
    fn sources_of<'a>(&'a self, module: &'a ModuleNode) -> impl Iterator<Item = &'a ModuleNode> {
        let modules = &self.graph.modules;
        let imported = module.imports.iter().map(|import| &modules[import.0]);
        imported.chain(modules.iter().filter(|module| module.global))
    }

    fn extend_exports(&mut self, index: usize) -> bool {
        let module = &self.graph.modules[index];
        let mut exported = HashSet::new();
        for key in &module.declared {
            match self.modules_by_key.get(key) {
                Some(import) if module.imports.contains(import) => {
                    exported.extend(&self.graph.modules[import.0].exported);
                }
                _ if module.provides.contains(key)
                    || self
                        .sources_of(module)
                        .any(|source| source.exported.contains(key)) =>
                {
                    exported.insert(*key);
                }
                _ => {}
            }
        }
        let more = exported.len() > module.exported.len();
        self.graph.modules[index].exported = exported;
        more
    }

    /// Puts the overrides into the places of what they override, and leaves out
    /// what is not needed any more.
    fn replace(&mut self, overrides: Vec<Provider>) {
        let before: Vec<Vec<usize>> = self
            .graph
            .providers
            .iter()
            .map(|provider| provider.needs.clone())
            .collect();
        for provider in overrides {
            match self.graph.find(provider.key) {
                None => self.add_provider(provider, None),
                Some(index) => {
                    let node = &mut self.graph.providers[index];
                    node.overridden = true;
                    node.dependencies.clone_from(&provider.dependencies);
                    self.recipes[index] = Some(provider);
                }
            }
        }
        for module in &mut self.graph.modules {
            let nowhere = self
                .graph
                .providers
                .iter()
                .filter(|provider| provider.module.is_none());
            module.visible.extend(nowhere.map(|provider| provider.key));
        }
        self.graph.link_providers();
        self.mark_orphans(&before);
    }

    /// An orphan was needed before, and is not by anybody who is left.
    fn mark_orphans(&mut self, before: &[Vec<usize>]) {
        let mut needed_before = vec![false; self.graph.providers.len()];
        for &needed in before.iter().flatten() {
            needed_before[needed] = true;
        }
        let providers = &mut self.graph.providers;
        loop {
            let mut needed = vec![false; providers.len()];
            for provider in providers.iter().filter(|provider| !provider.orphan) {
                provider.needs.iter().for_each(|&it| needed[it] = true);
            }
            let orphan = (0..before.len()).find(|&it| {
                needed_before[it]
                    && !needed[it]
                    && !providers[it].orphan
                    && !providers[it].overridden
            });
            match orphan {
                Some(orphan) => providers[orphan].orphan = true,
                None => return,
            }
        }
    }

    /// Reports what is missing, and hooks of the wrong type.
    fn check(&mut self) {
        let mut problems = Vec::new();
        for (index, node) in self
            .graph
            .providers
            .iter()
            .enumerate()
            .filter(|(_, it)| !it.orphan)
        {
            let from = self.graph.home(index);
            for dependency in node.dependencies.iter().filter(|it| !it.optional) {
                if self.graph.find_visible(from, dependency.key).is_none() {
                    problems.push(self.missing(index, dependency.key));
                }
            }
            let hooks = self.recipes[index].iter().flat_map(Self::hooks);
            let foreign = hooks.filter(|hook| hook.key != node.key);
            problems.extend(foreign.map(|hook| WiringProblem::Hook {
                provider: node.key,
                hook: hook.key,
            }));
        }
        self.problems.append(&mut problems);
    }

    fn hooks(provider: &Provider) -> impl Iterator<Item = &Hook> {
        provider.on_init.iter().chain(&provider.on_shutdown)
    }

    fn missing(&self, consumer: usize, needed: Key) -> WiringProblem {
        let graph = &self.graph;
        let chain = graph.chain_to(consumer);
        let needs = if graph.consumer_of(consumer).is_some() {
            needs(2)
        } else {
            needs(1)
        };
        let consumer_key = graph.providers[consumer].key;
        WiringProblem::Missing {
            consumer: consumer_key,
            needed,
            chain: format!("{chain}{needs}{needed}"),
            advice: graph.advice(graph.home(consumer), consumer_key, needed),
        }
    }

    /// Every provider after all that it needs, else in the order listed.
    /// Reports each cycle once.
    fn order(&mut self) -> Vec<usize> {
        let mut walk = Walk {
            graph: &self.graph,
            marks: vec![Mark::New; self.graph.providers.len()],
            path: Vec::new(),
            order: Vec::new(),
            cycles: Vec::new(),
        };
        for provider in 0..self.graph.providers.len() {
            if !self.graph.providers[provider].orphan {
                walk.visit(provider);
            }
        }
        let Walk { order, cycles, .. } = walk;
        for cycle in cycles {
            let chain = cycle
                .iter()
                .chain(cycle.first())
                .copied()
                .collect::<Vec<_>>();
            self.problems.push(WiringProblem::Cycle {
                providers: cycle
                    .iter()
                    .map(|&it| self.graph.providers[it].key)
                    .collect(),
                chain: self.graph.in_words(&chain),
            });
        }
        order
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnPath,
    Done,
}

/// A depth-first walk along the needs.
struct Walk<'g> {
    graph: &'g Graph,
    marks: Vec<Mark>,
    path: Vec<usize>,
    order: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, provider: usize) {
        match self.marks[provider] {
            Mark::Done => {}
            Mark::OnPath => {
                let start = self.path.iter().position(|&it| it == provider).unwrap_or(0);
                self.cycles.push(self.path[start..].to_vec());
            }
            Mark::New => {
                self.marks[provider] = Mark::OnPath;
                self.path.push(provider);
                for &needed in &self.graph.providers[provider].needs {
                    self.visit(needed);
                }
                self.path.pop();
                self.marks[provider] = Mark::Done;
                self.order.push(provider);
            }
        }
    }
}
