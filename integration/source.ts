// A source file's text → what it imports and which impure globals it names. Pure.
import { posix } from 'node:path'
import ts from 'typescript'

export interface Import {
  /** The file under lib that is imported, or the package's or module's name. */
  readonly from: string
  readonly names: readonly string[]
  readonly isType: boolean
  /** Passes on what it imports. */
  readonly isExport: boolean
  /** Names nothing: it is there for its effects. */
  readonly isBare: boolean
}

export interface Source {
  /** Path under lib. */
  readonly path: string
  readonly imports: readonly Import[]
  /** Globals that a pure file does without. */
  readonly impure: readonly string[]
}

const IMPURE = new Set(
  `process Date performance console fetch setTimeout setInterval setImmediate queueMicrotask globalThis
  Math.random crypto`.split(/\s+/),
)

/** Reads what a file imports and which impure globals it names. */
export function parseSource(path: string, text: string): Source {
  const imports: Import[] = []
  const impure: string[] = []
  const place = (specifier: ts.Node): string => {
    const name = (specifier as ts.StringLiteral).text
    return name.startsWith('.')
      ? posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts')
      : name
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause
      const named = clause?.namedBindings
      const elements = named && ts.isNamedImports(named) ? [...named.elements] : []
      const names = elements.map((element) => (element.propertyName ?? element.name).text)
      const onlyTypes = elements.length > 0 && elements.every((element) => element.isTypeOnly)
      const isType = clause !== undefined && (clause.isTypeOnly || (onlyTypes && !clause.name))
      imports.push({
        from: place(node.moduleSpecifier),
        names,
        isType,
        isExport: false,
        isBare: !clause,
      })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      const from = place(node.moduleSpecifier)
      imports.push({ from, names: [], isType: node.isTypeOnly, isExport: true, isBare: false })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments
      if (specifier)
        imports.push({
          from: place(specifier),
          names: [],
          isType: false,
          isExport: false,
          isBare: false,
        })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push({
        from: place(node.argument.literal),
        names: [],
        isType: true,
        isExport: false,
        isBare: false,
      })
    } else if (ts.isPropertyAccessExpression(node) && IMPURE.has(node.getText())) {
      impure.push(node.getText())
    } else if (ts.isIdentifier(node) && IMPURE.has(node.text) && isGlobal(node)) {
      impure.push(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
  return { path, imports, impure }
}

/** Whether an identifier stands for a value, and is not the name of a property. */
function isGlobal(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) {
    // What it reads is in its argument; the clock is not.
    return parent.expression === node && parent.getText() !== 'Date.parse'
  }
  // The same of a date that is made of something.
  if (ts.isNewExpression(parent) && node.getText() === 'Date' && parent.arguments?.length) {
    return false
  }
  return (
    !ts.isPropertyAssignment(parent) &&
    !ts.isPropertySignature(parent) &&
    !ts.isTypeReferenceNode(parent)
  )
}
