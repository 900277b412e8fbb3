//! A shop that says in which order it takes its locks, and once does not keep to it.

use lockdep::order::LockOrder;
use lockdep::sync::Mutex;

/// Whoever takes more than one of these takes them in this order.
#[derive(Default, LockOrder)]
#[lock_order(stock < orders < invoices)]
pub struct Shop {
    stock: Mutex<u32>,
    orders: Mutex<Vec<u32>>,
    invoices: Mutex<Vec<u32>>,
}

impl Shop {
    /// A shop with goods, whose locks are in their places from here on.
    pub fn new(stock: u32) -> Shop {
        Shop { stock: Mutex::new(stock), ..Shop::default() }.in_order()
    }

    /// Sells `count`, if there are so many.
    pub fn sell(&self, count: u32) -> bool {
        let mut stock = self.stock.lock().unwrap();
        if *stock < count {
            return false;
        }
        *stock -= count;
        self.orders.lock().unwrap().push(count);
        true
    }

    /// Takes the last order back.
    pub fn cancel(&self) -> Option<u32> {
        let mut invoices = self.invoices.lock().unwrap();
        let count = self.orders.lock().unwrap().pop()?;
        invoices.retain(|invoiced| *invoiced != count);
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::Shop;

    #[test]
    fn an_order_can_be_taken_back() {
        let shop = Shop::new(3);
        assert!(shop.sell(2) && !shop.sell(2));
        assert_eq!(shop.cancel(), Some(2));
    }
}
