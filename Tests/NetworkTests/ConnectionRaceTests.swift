// SPDX-License-Identifier: Apache-2.0

import EventLoop
import TLS
import Testing

@testable import Network

@Suite("The race between addresses (RFC 8305)")
struct ConnectionRaceTests {
  /// A race, and the milliseconds since it began.
  private struct Course {
    var race: ConnectionRace
    var milliseconds = 0

    init(targets: Int = 1) {
      race = ConnectionRace(targets: targets)
      #expect(tell(.began) == (0..<targets).map { .lookUp(target: $0) })
    }

    var now: MonotonicTime { MonotonicTime(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds) }
    /// The milliseconds until the next deadline.
    var wait: Int? { race.nextDeadline.map { Int(($0 - now) / .milliseconds(1)) } }

    mutating func tell(_ event: ConnectionRace.Event) -> [ConnectionRace.Effect] { race.received(event, at: now) }

    mutating func pass(_ milliseconds: Int) -> [ConnectionRace.Effect] {
      self.milliseconds += milliseconds
      return tell(.timePassed)
    }
  }

  private func v6(_ numbers: Int...) throws -> [SocketAddress] {
    try numbers.map { try #require(SocketAddress("2001:db8::\($0)", port: 5222)) }
  }

  private func v4(_ numbers: Int...) throws -> [SocketAddress] {
    try numbers.map { try #require(SocketAddress("192.0.2.\($0)", port: 5222)) }
  }

  @Test("Families take turns, IPv6 first, each attempt a quarter of a second after the one before")
  func alternation() throws {
    var course = Course()
    #expect(course.tell(.found(target: 0, .v6, try v6(1, 2, 3))) == [.connect(1, try v6(1)[0], target: 0)])
    #expect(course.tell(.found(target: 0, .v4, try v4(1, 2))) == [])
    #expect(course.wait == 250)
    #expect(course.pass(249) == [])
    #expect(course.wait == 1)
    #expect(course.pass(1) == [.connect(2, try v4(1)[0], target: 0)])
    #expect(course.pass(250) == [.connect(3, try v6(2)[0], target: 0)])
    #expect(course.pass(250) == [.connect(4, try v4(2)[0], target: 0)])
    #expect(course.pass(250) == [.connect(5, try v6(3)[0], target: 0)])
    #expect(course.wait == nil, "it wakes though there is nothing left to be done")
  }

  @Test("IPv4 waits for IPv6 for a moment, and no longer")
  func resolutionDelay() throws {
    var course = Course()
    #expect(course.tell(.found(target: 0, .v4, try v4(1))) == [])
    #expect(course.wait == 50)
    #expect(course.pass(49) == [])
    var other = course
    #expect(other.tell(.found(target: 0, .v6, try v6(1))) == [.connect(1, try v6(1)[0], target: 0)])
    other = course
    #expect(other.tell(.found(target: 0, .v6, [])) == [.connect(1, try v4(1)[0], target: 0)])
    #expect(course.pass(1) == [.connect(1, try v4(1)[0], target: 0)])
    // The late ones come next.
    #expect(course.tell(.found(target: 0, .v6, try v6(1))) == [])
    #expect(course.pass(250) == [.connect(2, try v6(1)[0], target: 0)])
  }

  @Test("A failure is followed at once")
  func failure() throws {
    var course = Course()
    _ = course.tell(.found(target: 0, .v6, try v6(1)))
    _ = course.tell(.found(target: 0, .v4, try v4(1)))
    #expect(course.tell(.failed(1)) == [.connect(2, try v4(1)[0], target: 0)])
    #expect(course.tell(.failed(2)) == [.lost])
    #expect(course.wait == nil)
    #expect(course.tell(.timePassed) == [], "it is lost twice")
  }

  @Test("The first to succeed wins, and the others are called off")
  func winning() throws {
    var course = Course()
    _ = course.tell(.found(target: 0, .v6, try v6(1)))
    _ = course.tell(.found(target: 0, .v4, try v4(1, 2)))
    _ = course.pass(250)
    _ = course.pass(250)
    #expect(course.tell(.connected(2)) == [.won(2), .callOff(1), .callOff(3)])
    #expect(course.wait == nil)
    // What is late changes nothing.
    #expect(course.tell(.connected(1)) == [])
    #expect(course.tell(.failed(3)) == [])
    #expect(course.pass(1000) == [])
  }

  @Test("After a winner of no use those that were called off are tried again, then the rest; not the winner")
  func rejection() throws {
    var course = Course(targets: 2)
    _ = course.tell(.found(target: 0, .v6, try v6(1, 2)))
    _ = course.tell(.found(target: 0, .v4, []))
    _ = course.tell(.found(target: 1, .v6, []))
    _ = course.tell(.found(target: 1, .v4, try v4(9)))
    #expect(course.pass(250) == [.connect(2, try v6(2)[0], target: 0)])
    #expect(course.tell(.connected(2)) == [.won(2), .callOff(1)])
    #expect(course.race.hasOthers)
    #expect(course.tell(.rejected) == [.connect(3, try v6(1)[0], target: 0)])
    #expect(course.tell(.failed(3)) == [.connect(4, try v4(9)[0], target: 1)])
    #expect(course.tell(.connected(4)) == [.won(4)])
    #expect(!course.race.hasOthers)
    #expect(course.tell(.rejected) == [.lost])
  }

  @Test("Later hosts wait for the addresses of earlier ones, for two seconds")
  func order() throws {
    var course = Course(targets: 3)
    #expect(course.tell(.found(target: 1, .v6, [])) == [])
    #expect(course.tell(.found(target: 1, .v4, try v4(1))) == [])
    #expect(course.wait == 2000)
    #expect(course.pass(1999) == [])
    var other = course
    // It has none: that is an answer too.
    #expect(other.tell(.found(target: 0, .v4, [])) == [])
    #expect(other.tell(.found(target: 0, .v6, [])) == [.connect(1, try v4(1)[0], target: 1)])
    #expect(course.pass(1) == [.connect(1, try v4(1)[0], target: 1)])
    // The first host is still the first once it is known.
    #expect(course.tell(.found(target: 2, .v6, try v6(3))) == [])
    #expect(course.tell(.found(target: 0, .v6, try v6(1))) == [])
    #expect(course.tell(.failed(1)) == [.connect(2, try v6(1)[0], target: 0)])
  }

  @Test("A host that has shown one family does not hold up the others with the second")
  func silentFamily() throws {
    var course = Course(targets: 2)
    _ = course.tell(.found(target: 1, .v6, try v6(9)))
    _ = course.tell(.found(target: 0, .v4, try v4(1)))
    #expect(course.pass(50) == [.connect(1, try v4(1)[0], target: 0)])
    #expect(course.pass(250) == [.connect(2, try v6(9)[0], target: 1)])
    #expect(course.tell(.failed(1)) == [])
    #expect(course.tell(.failed(2)) == [], "lost before all is known")
    #expect(course.tell(.found(target: 1, .v4, [])) == [])
    #expect(course.tell(.found(target: 0, .v6, [])) == [.lost])
  }

  @Test("What is told twice, or about what there is not, changes nothing")
  func nonsense() throws {
    var course = Course()
    #expect(course.tell(.found(target: 1, .v6, try v6(1))) == [])
    #expect(course.tell(.found(target: -1, .v6, try v6(1))) == [])
    _ = course.tell(.found(target: 0, .v6, try v6(1)))
    #expect(course.tell(.found(target: 0, .v6, try v6(2))) == [])
    #expect(course.tell(.connected(7)) == [])
    #expect(course.tell(.failed(7)) == [])
    #expect(course.tell(.rejected) == [])
    var empty = ConnectionRace(targets: 0)
    #expect(empty.received(.began, at: course.now) == [.lost])
  }

  @Test("Of one host and family only so many addresses are tried")
  func limit() throws {
    var course = Course()
    let many = try (0..<200).map { try v4($0)[0] }
    _ = course.tell(.found(target: 0, .v6, []))
    _ = course.tell(.found(target: 0, .v4, many))
    var attempts = 1
    while course.wait != nil { attempts += course.pass(250).count }
    #expect(attempts == ConnectionRace.mostAddresses)
  }
}
