//! A game loop over entities that guard their own position.
use std::sync::Mutex;

#[derive(Clone, Copy)]
struct Vec2 {
    x: f32,
    y: f32,
}

struct Entity {
    position: Mutex<Vec2>,
    speed: Vec2,
}

impl Entity {
    fn translate(&self, by: Vec2) {
        let mut p = self.position.lock().unwrap();
        p.x += by.x;
        p.y += by.y;
    }
}

struct World {
    entities: Vec<Entity>,
    width: f32,
}

impl World {
    fn step(&self, dt: f32) {
        for e in self.entities.iter() {
            let p = *e.position.lock().unwrap();
            if p.x < self.width {
                e.translate(Vec2 { x: e.speed.x * dt, y: e.speed.y * dt });
            }
        }
    }
}

fn main() {
    let world = World {
        entities: (0..4)
            .map(|n| Entity { position: Mutex::new(Vec2 { x: n as f32, y: 0.0 }), speed: Vec2 { x: 1.0, y: 1.0 } })
            .collect(),
        width: 10.0,
    };
    for _ in 0..100 {
        world.step(0.016);
    }
}
