/**
 * @file Small rewritings of a finished graph, each of which saves a pass over whole tensors.
 */

import type { NodeProto } from "onnx-buf";

/** The node of each tensor. */
function producers(nodes: readonly NodeProto[]): Map<string, NodeProto> {
  return new Map(nodes.flatMap((node) => node.output.map((name): [string, NodeProto] => [name, node])));
}

/** a + (−b) as a − b: jax-js has no subtraction. A negation that nothing else reads is then dead. */
export function withSubtractions(nodes: readonly NodeProto[]): NodeProto[] {
  const from = producers(nodes);
  return nodes.map((node) => {
    if (node.opType !== "Add") return node;
    const negated = (name: string) => {
      const source = from.get(name);
      return source?.opType === "Neg" ? source.input[0] : undefined;
    };
    const [a, b] = node.input;
    const [minusA, minusB] = [negated(a), negated(b)];
    if (minusB !== undefined) return { ...node, opType: "Sub", input: [a, minusB] };
    if (minusA !== undefined) return { ...node, opType: "Sub", input: [b, minusA] };
    return node;
  });
}

/**
 * Tensors that are graph outputs called by the output's name where they are made, instead of copied under it. What is
 * an input or a constant, or is already an output, is still copied.
 */
export function withNamedOutputs(nodes: readonly NodeProto[]): NodeProto[] {
  const from = producers(nodes);
  const names = new Map<string, string>();
  const kept = nodes.filter(({ opType, name, input: [source], output: [target] }) => {
    if (opType !== "Identity" || !name.startsWith("output_")) return true;
    if (!from.has(source) || names.has(source)) return true;
    names.set(source, target);
    return false;
  });
  const renamed = (tensors: readonly string[]) => tensors.map((tensor) => names.get(tensor) ?? tensor);
  return kept.map((node) => ({ ...node, input: renamed(node.input), output: renamed(node.output) }));
}
