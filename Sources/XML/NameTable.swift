// SPDX-License-Identifier: Apache-2.0

/// Numbers for the names of a stream.
///
/// libxml2 keeps each name once, so its address stands for it: a name is made a string when it is first seen, and
/// afterwards only its address is looked up.
struct NameTable {
  /// The names by number; the first is empty and stands for none.
  private(set) var strings = [""]

  private struct Slot {
    var address: UInt
    var number: Int32
  }
  // Open addressing; an address of 0 is a free slot. The count is a power of two.
  private var slots = [Slot](repeating: Slot(address: 0, number: 0), count: 64)

  /// The number of the name at `pointer`, which must be one that libxml2 keeps.
  mutating func number(of pointer: UnsafePointer<UInt8>?) -> Int32 {
    guard let pointer else { return 0 }
    let address = UInt(bitPattern: pointer)
    var position = home(of: address)
    while slots[position].address != 0 {
      if slots[position].address == address { return slots[position].number }
      position = (position + 1) & (slots.count - 1)
    }
    let number = Int32(strings.count)
    strings.append(String(cString: pointer))
    slots[position] = Slot(address: address, number: number)
    if strings.count * 2 > slots.count { grow() }
    return number
  }

  private func home(of address: UInt) -> Int {
    // Names lie close to each other: the multiplication spreads them, the shift takes the well-mixed bits.
    Int(truncatingIfNeeded: (address &* 0x9e37_79b9_7f4a_7c15) >> 32) & (slots.count - 1)
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(address: 0, number: 0), count: old.count * 2)
    for slot in old where slot.address != 0 {
      var position = home(of: slot.address)
      while slots[position].address != 0 { position = (position + 1) & (slots.count - 1) }
      slots[position] = slot
    }
  }
}
