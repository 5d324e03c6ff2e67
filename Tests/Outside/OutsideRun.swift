// SPDX-License-Identifier: Apache-2.0

import Support

/// An account in the hands of the program, contacts and strangers who record all that comes of it, and a driver who does
/// at random what a person, those around them and the network can do. After each step everybody must see what
/// ``OutsideModel`` says, and nobody may have received what it never allowed.
public final class OutsideRun {
  /// What is to be done.
  public struct Plan: Sendable {
    let server: OutsideServer
    let mechanism: String?
    let steps: Int
    let seed: UInt64
    let logLevel: String?
    let isTold: Bool

    /// - Parameters:
    ///   - mechanism: one to force; nil for the server's best.
    ///   - logLevel: the program's; nil is its default.
    ///   - isTold: whether progress is printed.
    public init(
      server: OutsideServer, mechanism: String? = nil, steps: Int, seed: UInt64, logLevel: String? = nil,
      isTold: Bool = false
    ) {
      self.server = server
      self.mechanism = mechanism
      self.steps = steps
      self.seed = seed
      self.logLevel = logLevel
      self.isTold = isTold
    }
  }

  let plan: Plan
  let server: XMPPServer
  let account: OutsideAccount
  let cast: Cast
  var numbers: SeededNumbers
  var model: OutsideModel { didSet { permit(model) } }
  /// What each recorder, by full JID, may have been sent at most since the last settle.
  var permitted: [String: OutsideModel.Sight] = [:]
  /// Bare JIDs whom we, or our server, may have told something about a subscription since the last settle.
  var subscriptionTalk: Set<String> = []
  /// Those whose subscription ended, with the full JID that we had: ejabberd still tells them when that goes (measured).
  var formerSubscribers: Set<[String]> = []
  /// Those who were shown one of our full JIDs while they were no contacts: Prosody tells them when that goes (measured).
  var shownAsStrangers: Set<[String]> = []
  /// A connection was lost since the last settle.
  var wasLost = false
  /// Questions of recorders to our account since the last settle.
  var questions: [Question] = []
  /// What `Degraded` said at the last settle.
  var degraded: Set<String> = []
  /// Bare JIDs whose requests for a subscription nobody has answered.
  var waiting: Set<String> = []
  /// Bare JIDs that are not heard for a while, by what refused them: "person", "policy", a rule's subject, or "nobody".
  var unheard: [String: String] = [:]
  /// When bare JIDs began to ask what nobody has answered.
  var askedFirst: [String: ContinuousClock.Instant] = [:]
  /// Bare JIDs that asked since the beginning, while anything was decided about that.
  var everAsked: Set<String> = []
  /// When bare JIDs asked last.
  var lastAsked: [String: ContinuousClock.Instant] = [:]
  /// Whether a program of the person's handles calls.
  var isHandling = false
  /// Calls that it must have been handed since the last settle, by their id.
  var unhanded: Set<String> = []
  /// What the program refuses as not built.
  var missing: Set<String> = []
  /// The latest steps.
  var journal: [String] = []
  private var step = 0
  private var counts: [StepKind: Int] = [:]
  private let started = ContinuousClock.now
  private var told = ContinuousClock.now

  /// Runs it. It blocks on a thread of its own.
  public static func run(_ plan: Plan) async throws {
    try await withTaskExecutorPreference(WitnessThread.shared) {
      let run = try OutsideRun(plan)
      defer { run.account.end() }
      try run.go()
    }
  }

  init(_ plan: Plan) throws {
    self.plan = plan
    numbers = SeededNumbers(seed: plan.seed)
    server = try plan.server.start()
    cast = try Cast(on: server, hasLists: plan.server.hasLists)
    model = OutsideModel(mechanism: plan.mechanism ?? plan.server.usualMechanism)
    account = try OutsideAccount(cast.user, server, mechanism: plan.mechanism, logLevel: plan.logLevel)
    try cast.meet(server, through: account.device())
    model.roster = cast.roster
    model.blocked = Set(cast.blocked.map(\.bare))
    tell("\(plan.steps) steps on \(plan.server.rawValue) by \(model.mechanism), SEED=\(plan.seed)")
  }

  private func go() throws {
    do {
      try begin()
      while step < plan.steps {
        step += 1
        let kind =
          StepKind.random(using: &numbers) { !missing.contains($0.rawValue) && isPossible($0) } ?? .setPresence
        counts[kind, default: 0] += 1
        try perform(kind)
        try settle()
        if ContinuousClock.now - told > .seconds(10) {
          told = .now
          tell("\(step) steps, \((ContinuousClock.now - started).components.seconds) s")
        }
      }
      report()
    } catch {
      report()
      throw WitnessError(complaint(error))
    }
  }

  private func complaint(_ error: any Error) -> String {
    let text: String =
      switch error {
      case let refusal as RawBus.Refusal: "refused: \(refusal)"
      default: "\(error)"
      }
    return """
      on \(plan.server.rawValue) by \(model.mechanism), SEED=\(plan.seed), step \(step):
      \(journal.suffix(30).map { "  " + $0 }.joined(separator: "\n"))
      \(text)
      the program's log ends:
      \(account.log.split(separator: "\n").suffix(plan.logLevel == "debug" ? 20_000 : 5).joined(separator: "\n"))
      """
  }

  private func report() {
    let time = ContinuousClock.now - started
    let milliseconds = Int(time.components.seconds) * 1000 + Int(time.components.attoseconds / 1_000_000_000_000_000)
    tell("\(step) steps in \(milliseconds / 1000) s, \(milliseconds / max(1, step)) ms each")
    for kind in StepKind.allCases { tell("  \(counts[kind] ?? 0) \(kind.rawValue)") }
    if !missing.isEmpty { tell("not built: \(missing.sorted().joined(separator: ", "))") }
  }

  private func tell(_ line: String) { if plan.isTold { print(line) } }

  func note(_ text: String) {
    journal.append("\(step): \(text)")
    if journal.count > 200 { journal.removeFirst(100) }
  }

  // MARK: What is permitted

  /// Whatever the model has allowed since the last settle, may have been sent.
  func permit(_ model: OutsideModel) {
    for recorder in cast.recorders {
      permitted[recorder.full] = max(permitted[recorder.full] ?? .nothing, model.sight(of: recorder.full))
    }
  }

  /// Begins anew with what is so now.
  func settled() {
    permitted = [:]
    permit(model)
    subscriptionTalk = []
    wasLost = false
    questions = []
    unhanded = []
    account.owner.forget()
  }
}
