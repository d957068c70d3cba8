/// gRPC's boolean flags: `--use_tls`, `--use_tls=true` and `--use_tls false` are all in use.
enum BooleanFlags {
    private static let names: Set<String> = ["--use_tls", "--use_test_ca"]

    /// The arguments with a value for each such flag. (`defaultAsFlag` of ArgumentParser 1.8 is not used: it forgets the
    /// value of `--flag=false` when another option follows.)
    static func withValues(_ arguments: [String]) -> [String] {
        var complete: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard names.contains(argument) else {
                complete.append(argument)
                continue
            }
            if let value = rest.first, value == "true" || value == "false" {
                rest.removeFirst()
                complete.append("\(argument)=\(value)")
            } else {
                complete.append("\(argument)=true")
            }
        }
        return complete
    }
}
