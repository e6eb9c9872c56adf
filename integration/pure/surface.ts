// The built declarations → the public surface as text: each export with its declaration, without
// comments. Reads files.
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** @param entries - declarations by the name under which the package is imported. */
export function surfaceOf(entries: Readonly<Record<string, string>>): string {
  const files = Object.values(entries).map((path) => `${ROOT}${path}`)
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, noEmit: true }
  const program = ts.createProgram(files, { ...options, types: ['node'], skipLibCheck: true })
  const checker = program.getTypeChecker()
  const printer = ts.createPrinter({ removeComments: true })
  const parts = Object.entries(entries).map(([name, path]) => {
    const file = program.getSourceFile(`${ROOT}${path}`)
    const module = file && checker.getSymbolAtLocation(file)
    if (!module) throw new Error(`${path} is not built, or exports nothing`)
    const exports = [...checker.getExportsOfModule(module)].sort(byName).map((found) => {
      const isAlias = (found.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = isAlias ? checker.getAliasedSymbol(found) : found
      return (symbol.declarations ?? []).map((node) => print(printer, node)).join('\n')
    })
    return `// ${name}\n\n${exports.join('\n\n')}\n`
  })
  return parts.join('\n')
}

const byName = (a: ts.Symbol, b: ts.Symbol): number => (a.name < b.name ? -1 : 1)

function print(printer: ts.Printer, node: ts.Declaration): string {
  // Only the statement of a constant has the word `const`.
  const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node
  const text = printer.printNode(ts.EmitHint.Unspecified, whole, node.getSourceFile())
  return text.replace(/^export (declare )?/, '').replace(/^declare /, '')
}
