/** What can be done with a model: what the panel knows, and what its host lends. */

/** @typedef {{id: string, label: string, icon: string, quick?: boolean, primary?: boolean, run: () => any}} Action */

const OF_HOST = [
  { id: "insertLoader", label: "insert", icon: "insert", primary: true },
  { id: "setSelectedLoader", label: "set_loader", icon: "target" },
  { id: "addToStack", label: "add_stack", icon: "stack" },
];

/** @returns {Action[]} */
export function actionsOf(match, context) {
  const { host, t } = context;
  const lent = OF_HOST.filter(({ id }) => host[id] && (host.can?.(match, id) ?? true)).map((action) => ({
    ...action,
    label: t(action.label),
    quick: true,
    run: () => context.guard(async () => tell(await host[action.id](match), context)),
  }));
  for (const action of host.actions ?? []) {
    if (!action.can(match)) continue;
    lent.push({ ...action, quick: true, run: () => context.guard(async () => tell(await action.run(match), context)) });
  }
  const tag = tagOf(match);
  const copy = tag && { id: "copyTag", label: t("copy_tag", { tag }), icon: "copy", quick: true, primary: !lent.length, run: () => copyText(tag, context) };
  const similar = match.evidence && { id: "similar", label: t("find_similar"), icon: "similar", quick: true, run: () => context.like(match) };
  return [...lent, copy, similar].filter(Boolean);
}

/** `<lora:name:weight>` of a LoRA that the host knows under a tag. */
function tagOf(match) {
  return match.kind === "lora" && match.listed?.tag ? `<lora:${match.listed.tag}:${match.strength ?? 1}>` : "";
}

export async function copyText(text, { host, say, t }) {
  try {
    await (host.copyText ? host.copyText(text) : navigator.clipboard.writeText(text));
    say(t("copied", { text }));
  } catch {
    say(t("copy_failed", { text }), "error");
  }
}

function tell(done, { say }) {
  if (typeof done === "string" && done) say(done);
}
