extension Settings {
    /// What the user wrote a value in: the variable of the environment, or the file's line and key.
    func origin(of key: String) -> String {
        let variable = EnvironmentNames.name(of: key)
        if environment[variable] != nil { return variable }
        guard let path else { return key }
        return file?.line(of: key).map { "\(path):\($0): \(key)" } ?? "\(path): \(key)"
    }

    /// `parse` of the flag, or else of what the environment or the file says; nil: neither is there.
    /// - Throws: what `parse` does; for the environment and the file, behind the name of what is to blame.
    func parsed<Value>(_ flag: String?, _ key: Key, _ parse: (String) throws -> Value) throws -> Value? {
        if let flag { return try parse(flag) }
        guard let text = string(key) else { return nil }
        return try naming(key.rawValue) { try parse(text) }
    }

    /// - Throws: what `body` does, behind the name of the variable or key.
    func naming<Value>(_ key: String, _ body: () throws -> Value) throws(Fatal) -> Value {
        do {
            return try body()
        } catch {
            throw Fatal("\(origin(of: key)): \(Fatal(error).description)", status: .usage)
        }
    }

    /// For what reads several values of one section, such as files of certificates.
    /// - Throws: what `body` does, behind the name of the one whose value the error is about.
    func naming<Value>(oneOf section: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as Fatal {
            guard let text = error.message else { throw error }
            let blamed = Key.allCases.first { key in
                guard key.rawValue.hasPrefix(section + "."), let value = string(key), !value.isEmpty else {
                    return false
                }
                return text.contains(value)
            }
            throw blamed.map { Fatal("\(origin(of: $0.rawValue)): \(text)", status: error.status) } ?? error
        }
    }
}
