//! How schemes are connected: a tree, so that there is one way between each two.

use harness::random::Random;

/// Two schemes with a proxy between them.
pub type Edge = (usize, usize);

/// A tree of schemes.
pub fn random(count: usize, random: &mut Random) -> Vec<Edge> {
    (1..count).map(|scheme| (random.below(scheme as u64) as usize, scheme)).collect()
}

/// The schemes from one to another, both included.
pub fn path(edges: &[Edge], from: usize, to: usize) -> Vec<usize> {
    let mut ways = vec![vec![from]];
    while let Some(way) = ways.pop() {
        let last = *way.last().expect("a way begins somewhere");
        if last == to {
            return way;
        }
        let neighbours = edges.iter().filter_map(|(one, other)| match last {
            _ if *one == last => Some(*other),
            _ if *other == last => Some(*one),
            _ => None,
        });
        ways.extend(neighbours.filter(|next| !way.contains(next)).map(|next| [way.as_slice(), &[next]].concat()));
    }
    Vec::new()
}

/// The edge by which a scheme reaches another one.
pub fn towards(edges: &[Edge], from: usize, to: usize) -> Option<usize> {
    let next = *path(edges, from, to).get(1)?;
    edges.iter().position(|edge| *edge == (from, next) || *edge == (next, from))
}
