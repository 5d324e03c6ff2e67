// SPDX-License-Identifier: Apache-2.0

/// What an entity says that it is and can do (XEP-0030 §3).
public struct DiscoInfo: Hashable, Sendable {
  /// The namespace of the question and of the answer.
  public static let namespace = "http://jabber.org/protocol/disco#info"

  /// What an entity is.
  public struct Identity: Hashable, Sendable {
    /// The kind of entity, as `client`.
    public let category: String
    /// The kind within the category, as `pc`.
    public let type: String
    /// The language of the name.
    public let language: String?
    /// What people call it.
    public let name: String?

    /// Describes what an entity is.
    public init(category: String, type: String, language: String? = nil, name: String? = nil) {
      self.category = category
      self.type = type
      self.language = language
      self.name = name
    }
  }

  /// Further information, as a form (XEP-0128).
  public struct Form: Hashable, Sendable {
    /// A field of the form.
    public struct Field: Hashable, Sendable {
      /// Its name.
      public let name: String
      /// Its type, as `text-multi`; nil where none is given.
      public let type: String?
      /// What it says.
      public let values: [String]

      /// Describes a field.
      public init(_ name: String, type: String? = nil, values: [String]) {
        self.name = name
        self.type = type
        self.values = values
      }
    }

    /// The fields, the one that names the form among them.
    public let fields: [Field]

    /// Describes a form.
    public init(_ fields: [Field]) { self.fields = fields }

    /// Describes a form of a registered type.
    public init(type: String, _ fields: [Field]) {
      self.init([Field("FORM_TYPE", type: "hidden", values: [type])] + fields)
    }
  }

  /// Which of the entity's sets of information this is.
  public var node: String?
  /// What the entity is, in the order of the answer.
  public var identities: [Identity]
  /// The namespaces of what it can do, in the order of the answer.
  public var features: [String]
  /// Further information.
  public var forms: [Form]

  /// Describes an entity.
  public init(node: String? = nil, identities: [Identity], features: [String], forms: [Form] = []) {
    self.node = node
    self.identities = identities
    self.features = features
    self.forms = forms
  }
}
