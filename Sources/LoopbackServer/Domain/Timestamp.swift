// SPDX-License-Identifier: Apache-2.0

/// A moment as XEP-0082 writes it, in UTC and to the second.
func timestamp(_ secondsSinceEpoch: UInt64) -> String {
  let (days, seconds) = (Int(secondsSinceEpoch / 86_400), Int(secondsSinceEpoch % 86_400))
  // Years are counted from the first of March, so that a leap day is the last day of one; 719,468 days lie between the
  // first of March of the year 0 and 1970.
  let shifted = days + 719_468
  let era = shifted / 146_097
  let dayOfEra = shifted % 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  func padded(_ number: Int, _ width: Int = 2) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
  let date = "\(padded(year, 4))-\(padded(month))-\(padded(day))"
  return "\(date)T\(padded(seconds / 3600)):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))Z"
}
