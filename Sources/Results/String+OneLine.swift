extension String {
    /// Errors of others, as one line.
    package var onOneLine: String {
        contains(where: \.isNewline) ? split(whereSeparator: \.isNewline).joined(separator: "; ") : self
    }
}
