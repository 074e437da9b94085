/** A name from outside: shown as text, isolated from the direction of its surroundings, cut with an ellipsis. */
export function Name({ text, className }: { text: string; className?: string }) {
  return (
    <bdi className={className ? `ln-name ${className}` : "ln-name"} title={text}>
      {text}
    </bdi>
  );
}
