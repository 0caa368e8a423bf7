/**
 * Keeps the page working while the browser translates it. Translators replace text nodes with elements. React then removes
 * a node, or inserts beside one, that is no longer where React put it, and the DOM throws NotFoundError
 * (https://github.com/facebook/react/issues/11538). Such a step is now done at the node's real place, or skipped.
 */
export function surviveTranslation(): void {
  const { removeChild, insertBefore } = Node.prototype

  Node.prototype.removeChild = function <T extends Node>(this: Node, child: T): T {
    if (child.parentNode === this) return removeChild.call(this, child) as T
    return child
  }

  Node.prototype.insertBefore = function <T extends Node>(this: Node, node: T, before: Node | null): T {
    if (before === null || before.parentNode === this) return insertBefore.call(this, node, before) as T
    return insertBefore.call(this, node, null) as T
  }
}
