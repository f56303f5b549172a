//! A map that can take changes on trial and give them up again.
//!
//! A group of ops is decided as one: its changes are made in a layer, which is kept if all of them
//! stand and dropped if one does not.

use std::hash::Hash;

use foldhash::HashMap;

/// See the module. Without layers it is a plain map.
#[derive(Debug)]
pub(super) struct Layered<K, V> {
    ground: HashMap<K, V>,
    /// What each open trial changed; `None` is a key taken away.
    layers: Vec<HashMap<K, Option<V>>>,
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Self { ground: HashMap::default(), layers: Vec::new() }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Layered<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match self.layers.iter().rev().find_map(|layer| layer.get(key)) {
            Some(changed) => changed.as_ref(),
            None => self.ground.get(key),
        }
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.layers.last().is_some_and(|layer| !layer.contains_key(key)) {
            let present = self.get(key)?.clone();
            self.insert(key.clone(), present);
        }
        match self.layers.last_mut() {
            Some(layer) => layer.get_mut(key).and_then(Option::as_mut),
            None => self.ground.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.layers.last_mut() {
            Some(layer) => {
                layer.insert(key, Some(value));
            }
            None => {
                self.ground.insert(key, value);
            }
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        match self.layers.last_mut() {
            Some(layer) => {
                layer.insert(key.clone(), None);
            }
            None => {
                self.ground.remove(key);
            }
        }
    }

    /// The value of a key, made first if there is none.
    pub(super) fn get_or_default(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        if !self.contains_key(key) {
            self.insert(key.clone(), V::default());
        }
        self.get_mut(key).expect("it was made just now")
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let is_covered = |above: &[HashMap<K, Option<V>>], key: &K| above.iter().any(|layer| layer.contains_key(key));
        let ground = self.ground.iter().filter(move |(key, _)| !is_covered(&self.layers, key));
        let layers = self.layers.iter().enumerate().flat_map(move |(level, layer)| {
            let uncovered = layer.iter().filter(move |(key, _)| !is_covered(&self.layers[level + 1..], key));
            uncovered.filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
        });
        ground.chain(layers)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Begins a trial.
    pub(super) fn begin(&mut self) {
        self.layers.push(HashMap::default());
    }

    /// Ends the newest trial; its changes stand.
    pub(super) fn keep(&mut self) {
        for (key, value) in self.layers.pop().unwrap_or_default() {
            match value {
                Some(value) => self.insert(key, value),
                None => self.remove(&key),
            }
        }
    }

    /// Ends the newest trial; nothing of it stands.
    pub(super) fn drop_layer(&mut self) {
        self.layers.pop();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, u32),
        Change(u8, u32),
        Remove(u8),
        Begin,
        Keep,
        Drop,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_u8..6, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
            (0_u8..6, any::<u32>()).prop_map(|(key, value)| Step::Change(key, value)),
            (0_u8..6).prop_map(Step::Remove),
            Just(Step::Begin),
            Just(Step::Keep),
            Just(Step::Drop),
        ]
    }

    proptest! {
        /// A plain map that is copied when a trial begins is what it must look like.
        #[test]
        fn a_dropped_trial_leaves_nothing(steps in prop::collection::vec(step(), 0..40)) {
            let mut layered: Layered<u8, u32> = Layered::default();
            let (mut plain, mut copies): (BTreeMap<u8, u32>, Vec<BTreeMap<u8, u32>>) = (BTreeMap::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        layered.insert(key, value);
                        plain.insert(key, value);
                    }
                    Step::Change(key, value) => {
                        if let Some(present) = layered.get_mut(&key) {
                            *present = value;
                        }
                        plain.entry(key).and_modify(|present| *present = value);
                    }
                    Step::Remove(key) => {
                        layered.remove(&key);
                        plain.remove(&key);
                    }
                    Step::Begin => {
                        layered.begin();
                        copies.push(plain.clone());
                    }
                    Step::Keep => {
                        layered.keep();
                        copies.pop();
                    }
                    Step::Drop => {
                        layered.drop_layer();
                        plain = copies.pop().unwrap_or(plain);
                    }
                }
                let seen: BTreeMap<u8, u32> = layered.iter().map(|(key, value)| (*key, *value)).collect();
                prop_assert_eq!(&seen, &plain);
                for key in 0..6 {
                    prop_assert_eq!(layered.get(&key), plain.get(&key));
                }
            }
        }
    }
}
